"""Section 5 of the eligibility facts: servers that shared volumes tie together go whole or not at all."""

from collections.abc import Callable, Iterator

from tests.opinions import open_points
from tests.opinions.facts import Case, Claim, Said, any_of, differ, known
from tests.opinions.volume_rules import encrypted_shared_volume, has_shared_volume

#: Who has an instance, or is a DR or drill server: H5 and H11 speak of these, H4 of every other reason.
PROTECTED, STAND_INS = "S4", frozenset({"S5", "S6"})

Judged = Callable[[str], list[Said]]


def cluster_rules(case: Case, judged: Judged) -> Iterator[Said]:
    """Yield what H3-H15 say; ``judged`` gives what every other rule says of one server in the same group."""
    estate, question = case.estate, case.question
    if question.profile != "huaweicloud":
        yield "H15", "B", has_shared_volume(case)
    shared = [estate.shared(attachment["volume_id"]) for attachment in case.attachments]
    yield "H14", "B", None if any(claim is None for claim in shared) else False
    if not estate.is_loaded("attachments"):
        yield from ((rule, "B", None) for rule in ("H3", "H4", "H5", "H6", "H8", "H9", "H10", "H11", "H12"))
    members = estate.component(case.server_id)
    if len(members) > 1 or not open_points.ENCRYPTED_VOLUMES_OF_ONE_SERVER_ARE_TOLD_ONCE:
        yield "H12", "B", encrypted_shared_volume(case, members)
    yield "H6", "B", len(members) > question.batch_limit
    companions = sorted(members - {case.server_id})
    present = [server for server in companions if server in estate.servers]
    hidden = len(present) < len(companions)
    yield "H8", "B", hidden if estate.is_loaded("servers") or not hidden else None
    yield "H5", "B", any_of(*(_fires(judged(server), PROTECTED) for server in present))
    yield "H11", "B", any_of(*(_fires(judged(server), *STAND_INS) for server in present))
    others = present
    if open_points.OWNERS_THAT_CANNOT_JOIN_ARE_TOLD_ONCE:
        others = [server for server in present if _fires(judged(server), PROTECTED, *STAND_INS) is not True]
    yield "H3", "B", any(not question.asks_for(server) for server in others)
    yield "H4", "B", any_of(*(_blocked(judged(server)) for server in others if question.asks_for(server)))
    for rule, column in (("H9", "vpc_id"), ("H10", "az")):
        places = [estate.cell("servers", estate.servers[server], column) for server in present]
        apart = len({place for place in places if known(place)}) > 1  # wherever this one is, some other is not
        yield rule, "B", apart or any_of(*(differ(place, case.server(column)) for place in places))


def _fires(said: list[Said], *rules: str) -> Claim:
    return any_of(*(claim for rule, severity, claim in said if rule in rules and severity == "B"))


def _blocked(said: list[Said]) -> Claim:
    spoken_of = {PROTECTED, *STAND_INS}
    return any_of(*(claim for rule, severity, claim in said if severity == "B" and rule not in spoken_of))
