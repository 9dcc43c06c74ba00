"""Rules of a server's volumes (D): one finding a server, naming every volume concerned."""

from collections.abc import Iterator

import numpy as np

from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import Hits, where
from sdrs_nb.eligibility.registry import rule
from sdrs_nb.statuses import VOLUME_IN_USE, is_error

__all__: list[str] = []


@rule("D1")
def unencrypted(facts: Facts) -> Iterator[Hits]:
    """No attached volume, system or data, is encrypted."""
    yield facts.by_attachment(facts.of_volumes(facts.volumes.true("encrypted")))
    yield facts.by_attachment(facts.of_volumes(facts.volumes.missing("encrypted")), lacking="volumes.encrypted")


@rule("D2")
def unpaired(facts: Facts) -> Iterator[Hits]:
    """No attached volume is in a replication pair; that can be so without the server being protected."""
    yield facts.by_attachment(facts.of_volumes(facts.paired))
    # A pair that does not say which volumes it holds may hold any.
    if facts.frames.column("replication_pairs", "volume_ids").isna().any():
        yield facts.by_attachment(facts.of_volumes(~facts.paired), lacking="replication_pairs.volume_ids")


@rule("D3")
def system_volume_in_use(facts: Facts) -> Iterator[Hits]:
    """The system volume is in use; error states block, others may pass by themselves."""
    yield from _by_status(facts, system=True)


@rule("D4")
def data_volumes_in_use(facts: Facts) -> Iterator[Hits]:
    """Attached data volumes are in use, which is the normal status here."""
    yield from _by_status(facts, system=False)


@rule("D5", by_absence=True)
def volumes_known(facts: Facts) -> Iterator[Hits]:
    """Every attached volume is in the EVS inventory."""
    yield facts.by_attachment(facts.of_volumes(~facts.volumes.known), lacking="volumes")


@rule("D6", by_group=True)
def volumes_in_production_az(facts: Facts) -> Iterator[Hits]:
    """Volumes are in the AZ where the group's production runs now."""
    az, servers = facts.volumes.coded("az"), facts.attachments.servers
    wanted = np.append(az.code_of(facts.production_az), -1)[facts.match.group[servers]]
    mine = az.codes[facts.attachments.volumes]
    grouped = (wanted != -1) & facts.of_volumes(facts.volumes.known)
    yield facts.by_attachment(grouped & (mine >= 0) & (mine != wanted), volume_az=az)
    yield facts.by_attachment(grouped & (mine < 0), lacking="volumes.az")


@rule("D7")
def volume_types_named(facts: Facts) -> Iterator[Hits]:
    """Volume types are among those that the documents name; Open Telekom Cloud refuses extreme SSD."""
    kind, named = facts.volumes.coded("volume_type"), facts.book.names("volume_types")
    extreme = kind.where(lambda text: text.startswith("ESSD"))
    yield facts.by_attachment(facts.of_volumes(kind.given & ~kind.isin(named) & ~extreme), volume_type=kind)
    yield facts.by_attachment(facts.of_volumes(extreme), variant="extreme", volume_type=kind)
    yield facts.by_attachment(facts.of_volumes(~kind.given & facts.volumes.known), lacking="volumes.volume_type")


@rule("D8")
def volumes_not_yearly(facts: Facts) -> Iterator[Hits]:
    """Yearly/monthly volumes cannot be expanded through their pair later."""
    billing = facts.volumes.coded("billing")
    yield facts.by_attachment(facts.of_volumes(billing.isin({"yearly/monthly"})))
    yield facts.by_attachment(facts.of_volumes(~billing.given & facts.volumes.known), lacking="volumes.billing")


@rule("D9")
def volumes_of_evs(facts: Facts) -> Iterator[Hits]:
    """Production on dedicated storage does not put DR volumes there; DESS is not mentioned anywhere."""
    service = facts.volumes.coded("service_type")
    yield facts.by_attachment(facts.of_volumes(service.isin({"DSS"})), service_type=service)
    yield facts.by_attachment(facts.of_volumes(service.isin({"DESS"})), variant="dess", service_type=service)
    yield facts.by_attachment(facts.of_volumes(~service.given & facts.volumes.known), lacking="volumes.service_type")


@rule("D10")
def volumes_of_no_drill(facts: Facts) -> Iterator[Hits]:
    """No attached volume hangs on a drill server as well."""
    drill = np.zeros(len(facts.server_ids), dtype=bool)
    drill[facts.drills[facts.drills >= 0]] = True
    used = np.zeros(len(facts.volume_ids), dtype=bool)
    used[facts.attachments.volumes[drill[facts.attachments.servers]]] = True
    yield facts.by_attachment(facts.of_volumes(used) & ~drill[facts.attachments.servers])


@rule("D11")
def volumes_bound(facts: Facts) -> Iterator[Hits]:
    """Once paired, volumes cannot be deleted and snapshots cannot be rolled back."""
    attached = np.zeros(len(facts.server_ids), dtype=bool)
    attached[facts.attachments.servers] = True
    yield where(attached)


@rule("D12")
def first_copy(facts: Facts) -> Iterator[Hits]:
    """The first synchronisation takes longer the bigger the volumes are."""
    size = facts.volumes.numbers("size_gib")[facts.attachments.volumes]
    known = np.nan_to_num(size)
    total = np.bincount(facts.attachments.servers, weights=known, minlength=len(facts.server_ids)).astype(np.int64)
    big = total >= facts.book.number("big_total_gib")
    yield where(big, total_gib=total)
    unsaid = np.isnan(size) & facts.of_volumes(facts.volumes.known) & ~big[facts.attachments.servers]
    yield facts.by_attachment(unsaid, lacking="volumes.size_gib")


@rule("D13")
def volumes_not_frozen(facts: Facts) -> Iterator[Hits]:
    """No attached volume is frozen; one without a mark is not, where the marks were read."""
    yield facts.by_attachment(facts.of_volumes(facts.volumes.true("frozen")))


def _by_status(facts: Facts, *, system: bool) -> Iterator[Hits]:
    status = facts.volumes.coded("status")
    mine = facts.system_volume if system else ~facts.system_volume
    broken = status.where(is_error)
    passing = status.given & ~broken & ~status.isin({VOLUME_IN_USE})
    yield facts.by_attachment(mine & facts.of_volumes(broken), variant="error", volume_status=status)
    yield facts.by_attachment(mine & facts.of_volumes(passing), variant="transient", volume_status=status)
    yield facts.by_attachment(mine & facts.of_volumes(~status.given), lacking="volumes.status")
