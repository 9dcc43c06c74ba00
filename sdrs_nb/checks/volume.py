"""Rules of a server's volumes (D): one finding a server, naming every volume concerned."""

from collections.abc import Iterator

from sdrs_nb.checks.columns import BoolArray, Coded
from sdrs_nb.checks.facts import Facts
from sdrs_nb.checks.hits import Hits
from sdrs_nb.checks.registry import rule

__all__: list[str] = []


@rule("D1")
def unencrypted(facts: Facts) -> Iterator[Hits]:
    """No attached volume, system or data, is encrypted."""
    yield facts.by_attachment(facts.of_volumes(facts.volumes.true("encrypted")))
    yield facts.by_attachment(facts.of_volumes(facts.volumes.missing("encrypted")), unverified=True)


@rule("D2")
def unpaired(facts: Facts) -> Iterator[Hits]:
    """No attached volume is in a replication pair; that can be so without the server being protected."""
    yield facts.by_attachment(facts.of_volumes(facts.paired))


@rule("D3")
def system_volume_in_use(facts: Facts) -> Iterator[Hits]:
    """The system volume is in use; error states block, others may pass by themselves."""
    yield from _by_status(facts, system=True)


@rule("D4")
def data_volumes_in_use(facts: Facts) -> Iterator[Hits]:
    """Attached data volumes are in use, which is the normal status here."""
    yield from _by_status(facts, system=False)


def _by_status(facts: Facts, *, system: bool) -> Iterator[Hits]:
    status = facts.volumes.coded("status")
    mine = facts.system_volume if system else ~facts.system_volume
    broken = _broken(status)
    passing = status.given & ~broken & ~status.isin({"in-use"})
    yield facts.by_attachment(mine & facts.of_volumes(broken), variant="error", volume_status=status)
    yield facts.by_attachment(mine & facts.of_volumes(passing), variant="transient", volume_status=status)
    yield facts.by_attachment(mine & facts.of_volumes(~status.given), unverified=True)


def _broken(status: Coded) -> BoolArray:
    return status.where(lambda text: text.startswith("error"))
