"""Protected instances into the fewest delete requests: one group each, instances with a shared pair together.

The batch-delete page: at most 20 instances by default, all of one group (SDRS.1364), none twice (SDRS.1363), and for
a replication pair on several instances all of them (SDRS.1409; rule H17).  A site without batch calls deletes one by
one, which refuses instances with shared pairs (SDRS.1365).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.clusters import lowest_in_reach
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Batch, BatchOptions, Call
from sdrs_nb.planning.batch_keys import BatchKey
from sdrs_nb.planning.columns import objects
from sdrs_nb.planning.facts import read_facts
from sdrs_nb.planning.left_out import LeftOut, Reason, label
from sdrs_nb.planning.packing import PackedServers, pack_servers, places, sort_as_recorded, with_recorded
from sdrs_nb.planning.plans import Plan
from sdrs_nb.planning.proofs import proof_of
from sdrs_nb.rulebook import Rulebook
from sdrs_nb.tables import LEFT_OUT, empty

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


def whole_only(
    instances: pd.DataFrame, inventory: Inventory, choice: Choice, reasons: dict[str, Reason]
) -> pd.DataFrame:
    """Return the rows that can be deleted, with their ``unit``; ``reasons`` gets those of the others.

    ``instances`` has ``server_id, name, group_id, protected_instance_id``.  Instances tied by shared replication pairs
    go together or not at all.
    """
    tied = _components(inventory.replication_pairs)
    unit = [tied.get(each, (each,)) for each in objects(instances["protected_instance_id"])]
    present = set(objects(instances["protected_instance_id"]))
    columns = (objects(instances[name]) for name in ("server_id", "name", "protected_instance_id"))
    rows = zip(*columns, strict=True)
    said = [_shared_reason(row, together, present, choice) for row, together in zip(rows, unit, strict=True)]
    reasons.update({server: (why, "H17") for server, why in zip(instances["server_id"], said, strict=True) if why})
    return instances.assign(unit=["+".join(each) for each in unit])[
        np.array([why is None for why in said], dtype=np.bool_)
    ]


def shared_notes(instances: pd.DataFrame) -> list[str]:
    """Return what to say of instances of ``whole_only`` that are deleted together because they share a pair."""
    count = int(instances["unit"].str.contains("+", regex=False).sum())
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


def _shared_reason(row: tuple[str, str, str], unit: Sequence[str], present: set[str], choice: Choice) -> str | None:
    """Return why an instance that shares a replication pair with others stays, None where it may go with them."""
    server_id, name, instance_id = row
    who, partners = label(server_id, name), [each for each in unit if each != instance_id]
    if absent := [each for each in partners if each not in present]:
        return _(
            "Instance {instance} of server {server} shares a replication pair with instance {partner}, which this plan "
            "does not delete, so the service would refuse (SDRS.1409). Delete both together or detach the pair.",
            instance=instance_id,
            server=who,
            partner=absent[0],
        )
    if partners and choice.shared_pairs != "together":
        return _(
            "Instance {instance} of server {server} shares a replication pair with instance {partner}. Detach the pair "
            "first, as the page of the batch delete asks, then load the inventory and plan again.",
            instance=instance_id,
            server=who,
            partner=partners[0],
        )
    if len(unit) <= choice.limit:
        return None
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
        size=len(unit),
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
    component = lowest_in_reach(one, other, len(names)).tolist()
    members: dict[int, list[str]] = {}
    for name, number in zip(names, component, strict=True):
        members.setdefault(number, []).append(name)
    return {name: tuple(members[number]) for name, number in zip(names, component, strict=True)}


def _packed(rows: pd.DataFrame, limit: int, recorded: Sequence[tuple[str, ...]]) -> PackedServers:
    """Return the servers of one group in requests, those of one unit together; ``recorded`` are requests of a tape."""
    server_ids, units = objects(rows["server_id"]), objects(rows["unit"])
    spots = places(objects(rows["name"].fillna("")), server_ids)
    holder = dict(zip(rows["protected_instance_id"], server_ids, strict=True))
    known = [tuple(map(holder.__getitem__, each)) for each in recorded if holder.keys() >= {*each}]

    def pack(mine: Sequence[int]) -> PackedServers:
        return pack_servers(server_ids[mine], [spots[row] for row in mine], units[mine], limit)

    return with_recorded(range(len(rows)), server_ids, known, limit, pack)


def deletion_plan(
    instances: pd.DataFrame,
    inventory: Inventory,
    choice: Choice,
    notes: Sequence[str],
    left_out: pd.DataFrame | None = None,
) -> Plan:
    """Return the plan that deletes the instances of ``instances`` (from ``whole_only``, at least one row).

    ``left_out`` is a frame of ``tables.LEFT_OUT``.  Pure.
    """
    rows = instances.sort_values(["name", "server_id"], ignore_index=True)
    groups = inventory.groups.dropna(subset=["name"]).drop_duplicates("group_id").set_index("group_id")["name"]
    names = {str(group_id): str(groups.get(group_id, group_id)) for group_id in rows["group_id"].unique()}
    order = [BatchKey(1, group_id, "") for group_id in sorted(names, key=lambda each: (names[each], each))]
    packed = {
        key: _packed(rows[rows["group_id"] == key.group_id], choice.limit, inventory.about.batches) for key in order
    }
    instance_of = dict(zip(rows["server_id"], rows["protected_instance_id"], strict=True))
    server_of = {instance: server for server, instance in instance_of.items()}
    recorded = [tuple(server_of.get(each, "") for each in batch) for batch in inventory.about.batches]
    sort_as_recorded(order, packed, recorded)
    contents = [(key, servers) for key in order for servers in packed[key].servers]
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
        omitted=LeftOut.of(empty(LEFT_OUT) if left_out is None else left_out),
        proof_frame=proof_of(packed, order, names, choice.limit),
        approvals_needed=choice.approvals_needed,
        undoes=choice.run_id,
    )
