"""Rules of flavors (S13-S19): which families the service refuses.

Huawei's own pages publish no list, the service decides (SDRS.1356); the list is Open Telekom Cloud's.  An id says
much (``kc1.large.2`` is Kunpeng), extra specs say more; where they were not read, S19 tells.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import Hits, where
from sdrs_nb.eligibility.registry import rule

__all__ = ["family"]


def family(flavor_id: str) -> str:
    """Return the family of a flavor, its id up to the first dot: ``c6`` of ``c6.large.2``."""
    return flavor_id.split(".", maxsplit=1)[0].lower()


@rule("S14")
def no_local_disks(facts: Facts) -> Iterator[Hits]:
    """Local disks are not replicated."""
    named = facts.book.names("local_disk_families")
    kinds = {"diskintensive", "highio"}
    yield _of(
        facts,
        lambda flavor_id, specs: (
            family(flavor_id) in named or specs.get("local_disks") is True or specs.get("performance_type") in kinds
        ),
    )


@rule("S15")
def no_accelerators(facts: Facts) -> Iterator[Hits]:
    """No GPU, FPGA or AI accelerator."""
    named, kinds = facts.book.names("accelerator_families"), {"gpu", "fpga", "ascend"}
    told = facts.servers.true("accelerators")
    by_flavor = _where(
        facts,
        lambda flavor_id, specs: (
            family(flavor_id) in named or specs.get("accelerators") is True or specs.get("performance_type") in kinds
        ),
    )
    yield where(told | by_flavor, flavor_id=facts.servers.coded("flavor_id"))


@rule("S16")
def no_kunpeng(facts: Facts) -> Iterator[Hits]:
    """No ARM processor; families whose id starts with k are Kunpeng's."""
    yield _of(
        facts,
        lambda flavor_id, specs: (
            flavor_id.lower().startswith("k")
            or specs.get("architecture") == "arm64"
            or str(specs.get("performance_type") or "").startswith("kunpeng")
        ),
    )


@rule("S17")
def no_refused_generation(facts: Facts) -> Iterator[Hits]:
    """Not of generations C6, C9, S9, I9 and M9; their relatives (c6s, c6h) are not mentioned."""
    named = facts.book.names("refused_generations")
    exact = _where(facts, lambda flavor_id, specs: family(flavor_id) in named or specs.get("generation") in named)
    related = _where(facts, lambda flavor_id, _specs: family(flavor_id).startswith(named))
    flavor = facts.servers.coded("flavor_id")
    yield where(exact, flavor_id=flavor)
    yield where(related & ~exact, variant="related", flavor_id=flavor)


@rule("S18")
def no_infiniband(facts: Facts) -> Iterator[Hits]:
    """No large-memory type on InfiniBand, which runs on Xen."""
    yield _of(
        facts,
        lambda _flavor_id, specs: (
            specs.get("infiniband") is True
            or (
                specs.get("virtualization") == "FusionCompute"
                and specs.get("performance_type") in {"saphana", "ultracpu"}
            )
        ),
    )


@rule("S19")
def flavor_known(facts: Facts) -> Iterator[Hits]:
    """Extra specs of the server's flavor were read; without them only ids tell the family."""
    flavor = facts.servers.coded("flavor_id")
    if not facts.loaded("flavors"):
        yield where(facts.servers.known, lacking="flavors", flavor_id=flavor)
    else:
        yield where(~flavor.isin(facts.flavors), variant="unlisted", lacking="flavors", flavor_id=flavor)


def _of(facts: Facts, holds: Callable[[str, Mapping[str, Any]], bool]) -> Hits:
    return where(_where(facts, holds), flavor_id=facts.servers.coded("flavor_id"))


def _where(facts: Facts, holds: Callable[[str, Mapping[str, Any]], bool]) -> BoolArray:
    nothing: Mapping[str, Any] = {}
    return facts.servers.coded("flavor_id").where(lambda name: holds(name, facts.flavors.get(name, nothing)))
