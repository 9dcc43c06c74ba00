"""Eligible servers into the fewest requests that the service allows, frozen: what was reviewed is what is sent."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.errors import NothingEligibleError, PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.ids import canonical
from sdrs_nb.intake.collecting import without_collection
from sdrs_nb.inventory.notes import in_brief
from sdrs_nb.inventory.select import Selection
from sdrs_nb.models import Batch, BatchOptions, Call
from sdrs_nb.planning.approvals import approval_problems
from sdrs_nb.planning.batch_keys import BatchKey
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.facts import read_facts
from sdrs_nb.planning.left_out import most_frequent
from sdrs_nb.planning.naming import NameRequest, name_batches, name_instances
from sdrs_nb.planning.overrides import Overrides, assign_keys
from sdrs_nb.planning.packing import STEPS, PackedServers, pack_servers, places, sort_as_recorded, with_recorded
from sdrs_nb.planning.plans import Plan
from sdrs_nb.planning.proofs import proof_of
from sdrs_nb.planning.selection import select
from sdrs_nb.rulebook import Rulebook

__all__ = ["Plan", "plan_batches"]

#: Request rules that planning sees to itself: names (Q1, Q3) and the quota (G9), which leaves servers out.
_OWN_RULES = frozenset({"Q1", "Q3", "G9"})


@checked
@without_collection()
def plan_batches(
    eligibility: Eligibility,
    *,
    name_prefix: str,
    options: BatchOptions | None = None,
    rulebook: Rulebook | None = None,
    overrides: Overrides | None = None,
    known_flavors: Collection[str] = (),
    name_template: str | None = None,
    group_order: Literal["name", "smallest"] | Sequence[str] = "name",
    priority: Mapping[str, float] | None = None,
    wave_limit: int | None = None,
    approvals_needed: int = 1,
    steps: int = STEPS,
    include_unknown: bool = False,
    selection: Selection | None = None,
) -> Plan:
    """Return the fewest create requests for every server that may be protected, and why the others are left out.

    Servers with verdict ``eligible`` or ``warning`` and one protection group are planned; servers that share
    volumes stay in one batch; no batch is over the limit.  The same frames in any order of rows give the same plan,
    and one server more changes few batches.  Where the site has no batch call (profile ``otc``) each server is a
    request of its own, and servers with shared volumes are left out.

    Parameters
    ----------
    eligibility
        What ``check_eligibility`` gave.
    name_prefix
        Base of every batch's name prefix, 1 to 59 characters; batches get ``-001`` and on behind it.
    options
        What requests share; by default what eligibility was checked with.
    rulebook
        By default the one eligibility was checked with.
    overrides
        Rows (a frame or dicts) that choose servers by ``group_id``, ``tag`` or ``server_id`` and give them another
        ``cluster_id``, ``primary_subnet_id``, ``tenancy``, ``dedicated_host_id``, ``tags``, ``description``,
        ``name_prefix``, ``flavor_id`` or ``wave``; see ``overrides.assign_keys``.
    known_flavors
        Flavors that overrides may name although no server of the inventory has them.
    name_template
        For example ``"{group}-{batch:03d}"`` in place of prefix and number; see ``naming.name_batches``.
    group_order
        Order of protection groups: by ``"name"``, ``"smallest"`` (fewest batches first), or group ids in the order
        wanted (those not named follow by name).
    priority
        Server id -> number, lower first: who goes first where the quota does not reach for all.
    wave_limit
        Servers that a wave may have; a larger one becomes several.
    approvals_needed
        How many different persons must approve the plan before it is sent.
    steps
        Counted steps that the search for fewer batches may take for each batch key.
    include_unknown
        Plan servers with verdict ``unknown`` too, to see what the plan would be once the missing facts are there.
        Such a plan is for reading: ``submit`` refuses it.
    selection
        What the list of servers came to: the entries that selected nobody, and what it says otherwise than the
        inventory, are kept with the plan for whoever reads it.

    Raises
    ------
    PlanError
        Options, overrides or names break the limits of the service; every reason is named.
    NothingEligibleError
        No server can be planned; the message holds the most frequent reasons.

    Notes
    -----
    Pure: touches neither network nor disk and changes no frame.
    """
    options = options or eligibility.options
    rules = rulebook or eligibility.rulebook
    _refuse_bad_options(eligibility, options, rules, wave_limit, approvals_needed)
    inventory = eligibility.inventory
    alone = not rules.limit("batch_create")
    first = {canonical(server): number for server, number in (priority or {}).items()}
    limit = 1 if alone else options.batch_limit
    chosen = select(eligibility, limit, first, alone=alone, include_unknown=include_unknown)
    if chosen.taken.empty:
        raise _nothing(chosen.left_out.frame)
    taken = chosen.taken
    keyed = assign_keys(taken, options, name_prefix, inventory, rules, overrides=overrides, known_flavors=known_flavors)
    packed = _packed(taken, keyed.keys, limit, steps, inventory.about.batches)
    known = dict(zip(inventory.groups["group_id"], inventory.groups["name"].fillna(""), strict=True))
    names = {each: known.get(each) or each for each in sorted({key.group_id for key in packed})}
    order = _key_order(packed, names, group_order)
    sort_as_recorded(order, packed, inventory.about.batches)
    existing = inventory.protected_instances["name"].dropna()
    contents = [(key, servers) for key in order for servers in packed[key].servers]
    wanted = [NameRequest(key.name_prefix, names[key.group_id], key.wave) for key, _servers in contents]
    given_names, notes = (name_instances if alone else name_batches)(
        wanted, rules, template=name_template, existing=existing
    )
    batches = [
        _batch(key, f"b{number:03d}", servers, keyed.flavors, name, alone=alone)
        for number, ((key, servers), name) in enumerate(zip(contents, given_names, strict=True), start=1)
    ]
    return Plan(
        batches=_in_waves(batches, wave_limit),
        options=options,
        name_prefix=name_prefix,
        rulebook_version=rules.version,
        notes=(*chosen.notes, *keyed.notes, *notes),
        facts=read_facts(inventory, objects(taken["server_id"]), names),
        omitted=chosen.left_out,
        proof_frame=proof_of(packed, order, names, limit),
        approvals_needed=approvals_needed,
        declared=inventory.declared,
        warnings=_warnings(eligibility.warnings, {batch.group_id for batch in batches}),
        reading=in_brief(inventory.reading) + (in_brief(selection.reading) if selection else ()),
        open_points=tuple(selection.open_points) if selection else (),
        for_reading=include_unknown,
    )


def _warnings(found: pd.DataFrame, group_ids: Collection[str]) -> tuple[str, ...]:
    """Return the sentences that concern a plan for these groups: theirs, and those about no group of their own."""
    concerned = found["group_id"].isna() | is_in(found["group_id"], group_ids)
    said = found.loc[concerned, ["message", "remedy"]].fillna("")
    return tuple(f"{row.message} {row.remedy}".strip() for row in said.itertuples())


def _batch(
    key: BatchKey, batch_id: str, servers: tuple[str, ...], flavors: Mapping[str, str], name: str, *, alone: bool
) -> Batch:
    """Return the batch called ``name``; ``alone``: the create of one instance of that name."""
    if alone:
        own = {"call": Call.SINGLE_CREATE, "instance_name": name}
        return key.batch(batch_id, servers, flavors).model_copy(update=own)
    return key._replace(name_prefix=name).batch(batch_id, servers, flavors)


def _refuse_bad_options(
    eligibility: Eligibility, options: BatchOptions, rules: Rulebook, wave_limit: int | None, approvals_needed: int
) -> None:
    """Raise one error with every reason why no request of this plan could be sent."""
    low, high = 1, rules.number("raised_batch_size")
    problems = list(approval_problems(approvals_needed))
    if not low <= options.batch_limit <= high:
        problems.append(
            _(
                "The batch limit {limit} is out of range. Give {low} to {high} servers a request; the service takes "
                "{default} unless yours was raised.",
                limit=options.batch_limit,
                default=rules.number("batch_size"),
                low=low,
                high=high,
            )
        )
    elif wave_limit is not None and wave_limit < options.batch_limit:
        problems.append(
            _(
                "A wave of at most {wave_limit} servers cannot hold a batch of {limit}. Raise wave_limit or lower the "
                "batch limit.",
                wave_limit=wave_limit,
                limit=options.batch_limit,
            )
        )
    problems += BatchKey.of(options).problems(rules)
    if not problems and options == eligibility.options:
        findings = eligibility.request_findings
        blockers = findings[findings["severity"].eq("blocker") & ~findings["rule"].isin(_OWN_RULES)].fillna("")
        said = zip(blockers["message"], blockers["remedy"], strict=True)
        problems += [f"{message} {remedy}".strip() for message, remedy in said]
    if problems:
        raise PlanError("\n".join(problems))


def _nothing(left_out: pd.DataFrame) -> NothingEligibleError:
    if left_out.empty:
        return NothingEligibleError(
            _("No server was asked for, so there is nothing to plan. Load an inventory that has servers.")
        )
    return NothingEligibleError(
        ngettext_(
            "The {count} server that was asked for cannot be planned. {reasons}",
            "None of the {count} servers that were asked for can be planned. Most frequent reasons: {reasons}",
            len(left_out),
            reasons=most_frequent(left_out),
        )
    )


def _packed(
    taken: pd.DataFrame,
    keys: Sequence[BatchKey],
    limit: int,
    steps: int,
    recorded: Collection[tuple[str, ...]],
) -> dict[BatchKey, PackedServers]:
    """Return the batches of every key, packed on its own; ``taken`` is sorted by name and id.

    ``recorded``: batches of a tape, which stay as they were where all their servers are wanted.
    """
    names, server_ids, units = (objects(taken[name]) for name in ("name", "server_id", "unit"))
    spots = places(names, server_ids)
    rows: dict[BatchKey, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)

    def pack(mine: Sequence[int]) -> PackedServers:
        return pack_servers(server_ids[mine], [spots[row] for row in mine], units[mine], limit, steps=steps)

    return {key: with_recorded(mine, server_ids[mine], recorded, limit, pack) for key, mine in rows.items()}


def _key_order(
    packed: Mapping[BatchKey, PackedServers], names: Mapping[str, str], group_order: str | Sequence[str]
) -> list[BatchKey]:
    """Return keys by wave, then by group as asked for; keys of one group by their first server."""
    groups = sorted(names, key=lambda group_id: (names[group_id], group_id))
    if group_order == "smallest":
        counts = Counter(key.group_id for key, (servers, _packing) in packed.items() for _batch in servers)
        groups.sort(key=counts.__getitem__)
    elif not isinstance(group_order, str):
        wanted = [canonical(group_id, "group_id") for group_id in group_order]
        groups = list(dict.fromkeys([*(each for each in wanted if each in names), *groups]))
    rank = {group_id: position for position, group_id in enumerate(groups)}
    return sorted(packed, key=lambda key: (key.wave, rank[key.group_id]))


def _in_waves(batches: Sequence[Batch], wave_limit: int | None) -> tuple[Batch, ...]:
    """Return the batches with waves numbered 1, 2, 3 ..., none with more servers than ``wave_limit``."""
    result, wave, before, load = list[Batch](), 0, -1, 0
    for batch in batches:
        load += len(batch.server_ids)
        if batch.wave != before or (wave_limit is not None and load > wave_limit):
            wave, before, load = wave + 1, batch.wave, len(batch.server_ids)
        result.append(batch if batch.wave == wave else batch.model_copy(update={"wave": wave}))
    return tuple(result)
