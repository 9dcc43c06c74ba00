"""Points that the eligibility facts leave open; each says what was taken and what speaks for it."""

#: A warning "that is the same for every server of a group, a request or the whole estate" leaves verdicts alone, and
#: the facts name P* among those.  These two depend on the flavor of one server, so they are not the same for every one.
OF_ONE_SERVER = frozenset({"P2", "P3"})

#: Sums over a whole plan stop the plan, and no server by itself; they are told of the request.
TOLD_OF_THE_REQUEST = frozenset({"G9", "P12"})
#: What stops every request stops every server; it is told once, not of each.
TOLD_ONCE = frozenset({"Q4", "Q6", "Q8", "P9", "P13"})

#: Rules that speak of the AZ or VPC of a group, so that there is nothing to say where none is known for a server.
#: A host (P6) or pool (P10) that is unknown or out of use is refused with any group.
NEED_A_GROUP = frozenset({"P3", "P4"})
#: A group that takes nobody (G2, G4, G5) is no choice where another fits, so G14 need not name its reasons.
CLOSED_GROUPS_ARE_NO_CHOICE = True

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
#: H12 stops "the whole component"; where that is one server, D1 says it all.
ENCRYPTED_VOLUMES_OF_ONE_SERVER_ARE_TOLD_ONCE = True

#: Frames that each rule looks at (column "Data" of the facts).  The facts do not speak of a list of which a part is
#: known; docs/design.md does: a rule fires for rows that are there and is undecided for any other server.
LOOKS_AT: dict[str, frozenset[str]] = {
    rule: frozenset(frames.split())
    for rules, frames in (
        ("S7 S8 S9 S10 S13 S20 S34", "servers"),
        ("S4 S5", "protected_instances"),
        ("S6 D10 H11", "drill_servers"),
        ("S2 S3 G2 G4 G5", "groups"),
        ("S11 S12", "attachments"),
        ("D1 D3 D4 D6 D7 D13 H12 H14 H15", "attachments volumes"),
        ("D2", "attachments replication_pairs"),
        ("P3 S14 S15 S16 S17 S18", "flavors servers"),
        ("P7", "dedicated_hosts"),
        ("P11", "storage_pools"),
    )
    for rule in rules.split()
}
