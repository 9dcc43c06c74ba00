"""Section 4 of the eligibility facts: the volumes of a server."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.opinions import open_points
from tests.opinions.facts import Case, Claim, Row, Said, all_of, always, any_of, differ, maybe, negated, some
from tests.opinions.server_rules import system_volume

KNOWN_TYPES = frozenset({"SATA", "SAS", "SSD", "co-p1", "uh-l1"})


def volume_rules(case: Case) -> Iterator[Said]:
    """Yield what D1-D9 and D13 say of every volume on the server, and H13 of who reported it."""
    if not case.estate.is_loaded("attachments"):
        yield from ((rule, "B", None) for rule in ("D1", "D2", "D3", "D4", "D6", "D10", "D13"))
        yield "D7", case.question.severity(otc="B"), None
    for attachment, volume in case.disks():
        yield "D1", "B", always(volume("encrypted"), bool)
        yield "D2", "B", case.estate.paired(attachment["volume_id"])
        yield from _states(case, attachment, volume)
        yield "D6", "B", differ(volume("az"), case.production_az)
        yield from _kinds(case, volume)
        owners = case.estate.owners[attachment["volume_id"]]
        yield "D10", "B", any_of(*(case.estate.named("drill_servers", "server_id", owner) for owner in owners))
        yield "D13", "B", maybe(volume("frozen"), bool)
        yield "H13", "W", maybe(case.estate.cell("attachments", attachment, "seen_by"), lambda by: by != "both")


def _states(case: Case, attachment: Row, volume: Callable[[str], Any]) -> Iterator[Said]:
    broken: Claim = always(volume("status"), lambda status: status.startswith("error"))
    moving: Claim = always(volume("status"), lambda status: status not in open_points.USUAL_STATUSES)
    idle: Claim = always(volume("status"), lambda status: status != "in-use")
    system = system_volume(case, attachment)
    if system is None and broken:
        yield "D4", "B", True  # whichever it is, it blocks
        return
    yield "D3", "B", all_of(system, broken)
    yield "D3", "W", all_of(system, idle, negated(broken))
    yield "D4", "B", all_of(negated(system), broken)
    yield "D4", "W", all_of(negated(system), moving, negated(broken))


def _kinds(case: Case, volume: Callable[[str], Any]) -> Iterator[Said]:
    essd = always(volume("volume_type"), lambda kind: kind == "ESSD")
    yield "D7", case.question.severity(otc="B"), essd
    yield "D7", "W", always(volume("volume_type"), lambda kind: kind != "ESSD" and kind not in KNOWN_TYPES)
    yield "D8", "W", always(volume("billing"), lambda billing: billing == "yearly/monthly")
    yield "D9", "W", maybe(volume("service_type"), lambda service: service == "DESS")


def has_shared_volume(case: Case) -> Claim:
    """Tell whether a volume of the server is shared."""
    return some(
        (case.estate.shared(attachment["volume_id"]) for attachment in case.attachments),
        read=case.estate.is_loaded("attachments"),
    )


def encrypted_shared_volume(case: Case, servers: frozenset[str]) -> Claim:
    """Tell whether a volume that one of these servers shares is encrypted."""
    estate = case.estate
    volumes = {row["volume_id"] for server in servers for row in estate.attached.get(server, [])}
    return any_of(
        *(
            all_of(
                estate.shared(volume),
                always(estate.cell("volumes", estate.volumes.get(volume), "encrypted"), bool),
            )
            for volume in volumes
        )
    )
