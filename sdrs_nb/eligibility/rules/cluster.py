"""Rules of shared volumes (H): a cluster goes whole into one request or not at all.

They are asked last, because they tell what every other rule said about a server's companions.  Servers that are
protected already, DR servers and drill servers are told nothing here: there is nothing to do about them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts, Label, ServerMasks
from sdrs_nb.eligibility.hits import Hits, where
from sdrs_nb.eligibility.registry import rule
from sdrs_nb.rulebook import Effect

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class _Reasons:
    """A companion with the rules that speak against it: ``db-04 (403b): S2, S7``."""

    facts: Facts
    masks: ServerMasks

    def __getitem__(self, server: int, /) -> Label:
        reasons = ", ".join(self.masks.reasons.get(int(server), ()))
        label = self.facts.server_labels[server]
        return Label(f"{label}: {reasons}", f"{label.brief}: {reasons}") if reasons else label


def _masks(facts: Facts) -> ServerMasks:
    if facts.masks is None:
        raise RuntimeError("rules of clusters are asked after every other rule")
    return facts.masks


def _protectable(facts: Facts) -> BoolArray:
    """Servers in a cluster that could still be protected themselves."""
    masks = _masks(facts)
    return facts.clusters.tied & facts.servers.known & ~masks.protected & ~masks.not_candidate


def _missing(facts: Facts) -> BoolArray:
    """Companions that were not asked for, others than those H5, H8 and H11 speak of."""
    return _protectable(facts) & ~facts.selected


@rule("H1", phase="cluster", by_absence=True)
def whole_cluster(facts: Facts) -> Iterator[Hits]:
    """All owners are selected, none is refused, and they fit into one batch: they travel together."""
    masks = _masks(facts)
    trouble = facts.clusters.any(~masks.usable | ~facts.selected | ~facts.servers.known)
    fits = ~_too_large(facts)
    mask = facts.clusters.tied & ~trouble & fits
    yield _with_companions(facts, mask, facts.clusters.tied)


@rule("H2", phase="cluster", by_absence=True)
def shared_by_one(facts: Facts) -> Iterator[Hits]:
    """A shared volume on one server only: fine here, while single create refuses it."""
    alone = facts.volumes.true("multiattach") & (facts.owners == 1)
    yield facts.by_attachment(facts.of_volumes(alone))


@rule("H3", phase="cluster")
def owners_selected(facts: Facts) -> Iterator[Hits]:
    """Every owner of a shared volume is in the list (batch-create page, Constraints, second item)."""
    masks, missing = _masks(facts), _missing(facts)
    lacks = _protectable(facts) & facts.clusters.any_other(missing)
    refused = facts.clusters.any_other(missing & ~masks.usable)
    yield _with_companions(facts, lacks & ~refused, missing)
    hits = _with_companions(facts, lacks & refused, missing, variant="not_addable")
    reasons = facts.members(hits.rows, missing & ~masks.usable, _Reasons(facts, masks))
    yield Hits(hits.rows, {**hits.evidence, "reasons": reasons}, hits.variant)


@rule("H4", phase="cluster")
def companions_eligible(facts: Facts) -> Iterator[Hits]:
    """No selected companion is refused by another rule: the service's answer would come from the companion."""
    masks = _masks(facts)
    companions = facts.selected & facts.servers.known & ~masks.protected & ~masks.not_candidate
    refused, unsure = companions & masks.blocked, companions & ~masks.blocked & masks.unknown
    hit = _protectable(facts) & facts.clusters.any_other(refused)
    yield _reasoned(facts, hit, refused)
    yield _reasoned(facts, _protectable(facts) & ~hit & facts.clusters.any_other(unsure), unsure, variant="unsure")


@rule("H5", phase="cluster")
def owners_unprotected(facts: Facts) -> Iterator[Hits]:
    """No owner is protected already: listed it is refused (1305), left out it is missed (1408)."""
    protected = _masks(facts).protected
    yield _with_companions(facts, _protectable(facts) & facts.clusters.any_other(protected), protected)


@rule("H6", phase="cluster")
def fits_one_batch(facts: Facts) -> Iterator[Hits]:
    """A cluster is not larger than a batch, for it cannot be split."""
    limit = facts.options.batch_limit
    yield _with_companions(
        facts, _protectable(facts) & _too_large(facts), facts.clusters.tied, size=_sizes(facts), limit=limit
    )


@rule("H7", phase="cluster", by_absence=True)
def chained(facts: Facts) -> Iterator[Hits]:
    """Servers that share nothing still travel together when a third ties them (A-d1-B-d2-C)."""
    direct = _neighbours(facts)
    mask = _protectable(facts) & (direct < _sizes(facts) - 1)
    yield _with_companions(facts, mask, facts.clusters.tied)


@rule("H8", phase="cluster", by_absence=True)
def owners_known(facts: Facts) -> Iterator[Hits]:
    """Every owner is in the inventory; one that cannot be seen can be neither listed nor left out."""
    unknown = facts.clusters.tied & ~facts.servers.known
    yield _with_companions(facts, _protectable(facts) & facts.clusters.any_other(unknown), unknown)


@rule("H9", phase="cluster")
def owners_in_one_vpc(facts: Facts) -> Iterator[Hits]:
    """EVS attaches across VPCs, a request serves one VPC."""
    vpc = facts.servers.coded("vpc_id")
    yield _with_companions(
        facts, _protectable(facts) & facts.clusters.varied(vpc.codes), facts.clusters.tied, vpc_id=vpc
    )


@rule("H10", phase="cluster")
def owners_in_one_az(facts: Facts) -> Iterator[Hits]:
    """EVS attaches within one AZ only, so anything else is stale or wrong data."""
    az = facts.servers.coded("az")
    yield _with_companions(facts, _protectable(facts) & facts.clusters.varied(az.codes), facts.clusters.tied, az=az)


@rule("H11", phase="cluster")
def owners_are_production(facts: Facts) -> Iterator[Hits]:
    """No owner is a DR server or a drill server; usually the volume is in a pair then."""
    others = _masks(facts).not_candidate
    yield _with_companions(facts, _protectable(facts) & facts.clusters.any_other(others), others)


@rule("H12", phase="cluster")
def shared_unencrypted(facts: Facts) -> Iterator[Hits]:
    """An encrypted shared volume stops its whole cluster."""
    encrypted = facts.volumes.true("encrypted") & (facts.owners > 1)
    owners = np.zeros(len(facts.server_ids), dtype=bool)
    owners[facts.attachments.servers[facts.of_volumes(encrypted)]] = True
    yield _with_companions(facts, _protectable(facts) & facts.clusters.any(owners), owners)


@rule("H13", phase="cluster", by_absence=True)
def services_agree(facts: Facts) -> Iterator[Hits]:
    """ECS and EVS tell the same of an attachment; where they do not, the union counts."""
    if facts.loaded("volumes"):
        seen = facts.attachments.columns.coded("seen_by")
        one_sided = seen.isin({"ecs", "evs"}) & facts.of_volumes(facts.volumes.known)
        yield facts.by_attachment(one_sided, by_row={"seen_by": seen})


@rule("H14", phase="cluster")
def sharing_known(facts: Facts) -> Iterator[Hits]:
    """Without knowing which volumes are shared no server can be called eligible."""
    if lacking := tuple(name for name in ("volumes", "attachments") if not facts.loaded(name)):
        yield where(facts.servers.known, lacking=lacking)
    else:
        unsaid = facts.volumes.missing("multiattach") & (facts.owners <= 1)
        yield facts.by_attachment(facts.of_volumes(unsaid), variant="unsaid", lacking="volumes.multiattach")


@rule("H15", phase="cluster")
def no_shared_volume(facts: Facts) -> Iterator[Hits]:
    """Pages disagree whether batch create takes shared volumes; the profile decides, and the finding names both."""
    variant = "" if facts.book.severity("H15") is Effect.BLOCKER else "taken"
    yield facts.by_attachment(facts.of_volumes(facts.shared), variant=variant)


def _sizes(facts: Facts) -> IntArray:
    sizes = np.zeros(len(facts.server_ids), dtype=np.int64)
    sizes[facts.clusters.members] = facts.clusters.sizes[facts.clusters.of[facts.clusters.members]]
    return sizes


def _too_large(facts: Facts) -> BoolArray:
    return _sizes(facts) > facts.options.batch_limit


def _neighbours(facts: Facts) -> IntArray:
    """Count for each server the others it shares a volume with directly."""
    links = facts.clusters.links
    volumes, servers = facts.attachments.volumes[links], facts.attachments.servers[links]
    order = np.argsort(volumes, kind="stable")
    volumes, servers = volumes[order], servers[order]
    starts = np.searchsorted(volumes, volumes, "left")
    counts = facts.owners[volumes]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    one, other = np.repeat(servers, counts), servers[np.repeat(starts, counts) + within]
    pairs = np.unique(one[one != other] * len(facts.server_ids) + other[one != other])
    return np.bincount(pairs // max(len(facts.server_ids), 1), minlength=len(facts.server_ids))


def _with_companions(facts: Facts, mask: BoolArray, chosen: BoolArray, *, variant: str = "", **evidence: Any) -> Hits:
    """Return hits that name the ``chosen`` companions and the shared volumes of each server."""
    hits = where(mask, variant=variant, **evidence)
    shared = facts.shared_by(hits.rows)
    return Hits(
        hits.rows, {"companions": facts.members(hits.rows, chosen), "volumes": shared, **hits.evidence}, variant
    )


def _reasoned(facts: Facts, mask: BoolArray, companions: BoolArray, *, variant: str = "") -> Hits:
    hits = _with_companions(facts, mask, companions)
    reasons = facts.members(hits.rows, companions, _Reasons(facts, _masks(facts)))
    return Hits(hits.rows, {**hits.evidence, "reasons": reasons}, variant)
