"""Protected instances into the fewest delete requests: one group each, instances with a shared pair together.

The batch-delete page: at most 20 instances by default, all of one group (SDRS.1364), none twice (SDRS.1363), and for
a replication pair on several instances all of them (SDRS.1409; rule H17).  A site without batch calls deletes one by
one, which refuses instances with shared pairs (SDRS.1365).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdrs_nb.eligibility.clusters import lowest_in_reach
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Batch, BatchOptions, Call
from sdrs_nb.planning.batch_keys import BatchKey
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.facts import read_facts
from sdrs_nb.planning.left_out import LeftOut, Reason, label
from sdrs_nb.planning.packing import pack_servers, places
from sdrs_nb.planning.plans import Plan
from sdrs_nb.planning.proofs import proof_of
from sdrs_nb.rulebook import Rulebook
from sdrs_nb.tables import LEFT_OUT, shape

__all__ = ["Choice", "deletion_plan", "shared_notes", "whole_only"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a deletion also takes, for which run, by which rules, on how many persons' word."""

    run_id: str
    rulebook: Rulebook
    delete_target_server: bool = False
    delete_target_eip: bool = False
    approvals_needed: int = 1
    shared_pairs: str = "together"

    @property
    def limit(self) -> int:
        """Instances that one request may delete."""
        return self.rulebook.number("batch_delete_size") if self.is_batch else 1

    @property
    def is_batch(self) -> bool:
        """Whether the site has batch calls."""
        return bool(self.rulebook.limit("batch_create"))


def whole_only(doomed: pd.DataFrame, inventory: Inventory, choice: Choice, reasons: dict[str, Reason]) -> pd.DataFrame:
    """Return the rows that can be deleted, with their ``unit``; ``reasons`` gets those of the others.

    ``doomed`` has ``server_id, name, group_id, protected_instance_id``.  Instances tied by shared replication pairs
    go together or not at all.
    """
    tied = _components(inventory.replication_pairs)
    unit = [tied.get(each, (each,)) for each in objects(doomed["protected_instance_id"])]
    present = set(objects(doomed["protected_instance_id"]))
    keep = np.ones(len(doomed), dtype=np.bool_)
    columns = (objects(doomed[name]) for name in ("server_id", "name", "protected_instance_id"))
    for row, (server_id, name, instance_id) in enumerate(zip(*columns, strict=True)):
        who, partners = label(server_id, name), [each for each in unit[row] if each != instance_id]
        if absent := [each for each in partners if each not in present]:
            reasons[server_id] = (_partner_reason(who, instance_id, absent[0]), "H17")
        elif partners and choice.shared_pairs != "together":
            reasons[server_id] = (_detach_reason(who, instance_id, partners[0]), "H17")
        elif len(unit[row]) > choice.limit:
            reasons[server_id] = (_size_reason(who, instance_id, len(unit[row]), choice), "H17")
        else:
            continue
        keep[row] = False
    return doomed.assign(unit=["+".join(each) for each in unit])[keep]


def _partner_reason(who: str, instance_id: str, partner: str) -> str:
    return _(
        "Instance {instance} of server {server} shares a replication pair with instance {partner}, which this plan "
        "does not delete, so the service would refuse (SDRS.1409). Delete both together or detach the pair.",
        instance=instance_id,
        server=who,
        partner=partner,
    )


def _detach_reason(who: str, instance_id: str, partner: str) -> str:
    return _(
        "Instance {instance} of server {server} shares a replication pair with instance {partner}. Detach the pair "
        "first, as the page of the batch delete asks, then load the inventory and plan again.",
        instance=instance_id,
        server=who,
        partner=partner,
    )


def shared_notes(doomed: pd.DataFrame) -> list[str]:
    """Return what to say of instances of ``whole_only`` that are deleted together because they share a pair."""
    count = int(doomed["unit"].str.contains("+", regex=False).sum())
    if not count:
        return []
    return [
        _(
            "{count} instances share replication pairs and are deleted together, as code SDRS.1409 asks; the page of "
            "the batch delete asks to detach shared pairs first. If the service refuses, detach the pairs, or plan "
            'with shared_pairs="detach first".',
            count=count,
        )
    ]


def _size_reason(who: str, instance_id: str, size: int, choice: Choice) -> str:
    if not choice.is_batch:
        return _(
            "Instance {instance} of server {server} has a shared replication pair, and this site deletes instances one "
            "by one, which refuses that (SDRS.1365). Detach the pair first.",
            instance=instance_id,
            server=who,
        )
    return _(
        "Instance {instance} of server {server} is tied by shared replication pairs to {size} instances, and a request "
        "deletes {limit}. Detach pairs to cut the chain, or have the limit raised.",
        instance=instance_id,
        server=who,
        size=size,
        limit=choice.limit,
    )


def _components(pairs: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return for every instance with a shared pair all instances that it is tied to, itself included."""
    several = [ids.split(",") for ids in objects(pairs["protected_instance_ids"].fillna("")) if "," in ids]
    if not several:
        return {}
    names = sorted({each for ids in several for each in ids})
    at = {name: number for number, name in enumerate(names)}
    links = [(at[ids[0]], at[other]) for ids in several for other in ids[1:]]
    one, other = np.array(links, dtype=np.int64).T
    return _grouped(names, lowest_in_reach(one, other, len(names)))


def _grouped(names: Sequence[str], component: npt.NDArray[np.int64]) -> dict[str, tuple[str, ...]]:
    members: dict[int, list[str]] = {}
    for name, number in zip(names, component, strict=True):
        members.setdefault(int(number), []).append(name)
    return {name: tuple(members[int(number)]) for name, number in zip(names, component, strict=True)}


def deletion_plan(
    doomed: pd.DataFrame,
    inventory: Inventory,
    choice: Choice,
    left_out: Iterable[Mapping[str, object]],
    notes: Sequence[str],
) -> Plan:
    """Return the plan that deletes the instances of ``doomed`` (from ``whole_only``, at least one row).

    ``left_out`` are rows of ``tables.LEFT_OUT``.  Pure.
    """
    rows = doomed.sort_values(["name", "server_id"], ignore_index=True)
    names = {str(group_id): _group_name(inventory, str(group_id)) for group_id in rows["group_id"].unique()}
    order = [BatchKey(1, group_id, "") for group_id in sorted(names, key=lambda each: (names[each], each))]
    packed = {}
    for key in order:
        mine = rows[rows["group_id"] == key.group_id]
        server_ids = objects(mine["server_id"])
        spots = places(objects(mine["name"].fillna("")), server_ids)
        packed[key] = pack_servers(server_ids, spots, objects(mine["unit"]), choice.limit)
    contents = [(key, servers) for key in order for servers in packed[key].servers]
    instance_of = dict(zip(rows["server_id"], rows["protected_instance_id"], strict=True))
    batches = tuple(
        Batch(
            batch_id=f"b{number:03d}",
            group_id=key.group_id,
            call=Call.BATCH_DELETE if choice.is_batch else Call.SINGLE_DELETE,
            server_ids=servers,
            instances={server_id: instance_of[server_id] for server_id in servers},
            delete_target_server=choice.delete_target_server,
            delete_target_eip=choice.delete_target_eip,
        )
        for number, (key, servers) in enumerate(contents, start=1)
    )
    return Plan(
        batches=batches,
        options=BatchOptions(batch_limit=choice.limit),
        name_prefix="",
        rulebook_version=choice.rulebook.version,
        notes=tuple(notes),
        facts=read_facts(inventory, objects(rows["server_id"]), names, objects(rows["protected_instance_id"])),
        omitted=LeftOut.of(shape(pd.DataFrame(list(left_out), columns=list(LEFT_OUT.columns)), LEFT_OUT)),
        proof_frame=proof_of(packed, order, names, choice.limit),
        approvals_needed=choice.approvals_needed,
        undoes=choice.run_id,
    )


def _group_name(inventory: Inventory, group_id: str) -> str:
    groups = inventory.groups
    found = groups.loc[is_in(groups["group_id"], {group_id}), "name"].dropna()
    return str(found.iloc[0]) if len(found) else group_id
