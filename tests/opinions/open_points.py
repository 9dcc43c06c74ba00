"""Points that the eligibility facts leave open; each says what was taken and what speaks for it."""

#: Today a warning of any scope makes its servers ``warning``; when only those of the server's own shall count, False.
WARNINGS_OF_EVERY_SCOPE = True
#: Rules whose warnings are the same for all servers of a group, a request or the estate.
WIDER_SCOPES = ("G", "Q", "P")

#: A server that fits several groups, of which none was chosen, has no group yet, so what each of them warns of is said
#: when one is chosen; that every one of them warns speaks for True.
WARNINGS_OF_GROUPS_NOT_CHOSEN = False

#: What stops a request as a whole (its fields, its site, its sums) is told of the request and leaves verdicts alone.
#: "A B counts for every server it stops" speaks against it; that no one server is at fault speaks for it.
TOLD_OF_THE_REQUEST = frozenset({"Q4", "Q6", "Q8", "G9", "P9", "P12", "P13"})

#: Where no group is known for a server, nobody asks whether the DR site of one has what the request wants.
NEED_A_GROUP = frozenset({"P3", "P4", "P6", "P10"})
#: But a pool that the project does not have at all is in no group's DR site.
UNKNOWN_POOL_NEEDS_NO_GROUP = True

#: A server without any volume has no system volume either, so S12 would fire beside S11; S11 says it all.
NO_VOLUME_MEANS_NO_SYSTEM_VOLUME = False
#: A pair of one user is seen by that user alone, so a pair that is missing in the caller's list is proven to be gone
#: only where the caller made the server.  S22 says no more than "pair missing" and can be overridden, so the list is
#: taken at its word; True asks for the proof, and leaves servers of others to the warning S23.
MISSING_KEY_PAIR_NEEDS_PROOF = False
#: Statuses of an attached data volume that call for no warning.  "available" is neither error nor under way, but no
#: volume is both attached and available: what was read is stale, so it warns as well.
USUAL_STATUSES = frozenset({"in-use"})
#: A flavor that the list of flavors does not hold is not on sale, which warns; the list may be the one of the AZ.
ABSENT_FLAVOR_WARNS = True
#: Sale states that warn beside sellout and abandon, which block: obt (open beta) and promotion are sold to everybody.
UNCERTAIN_SALE: frozenset[str] = frozenset()
#: Of an owner that has an instance, or is a DR or drill server, H5 or H11 says all: neither H3 nor H4 speaks of it.
OWNERS_THAT_CANNOT_JOIN_ARE_TOLD_ONCE = True
