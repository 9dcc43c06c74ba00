"""Eligible servers into the fewest requests that the service allows, frozen: what was reviewed is what is sent."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import pandas as pd

from sdrs_nb.errors import NothingEligibleError, PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import Batch, BatchOptions
from sdrs_nb.naming import NameRequest, name_batches
from sdrs_nb.packing import Packing, Unit, pack
from sdrs_nb.payloads import batch_problems, payload_bytes
from sdrs_nb.plan_facts import read_facts
from sdrs_nb.plans import Plan
from sdrs_nb.selection import Judged, Rules, most_frequent, select

__all__ = ["Plan", "plan_batches"]

#: Batch limits that can be asked for; the page names 5 as the default, which a tenant can have raised.
_LIMITS = (1, 50)
#: Request rules that planning sees to itself: names (Q1, Q3) and the quota (G9), which leaves servers out.
_OWN_RULES = frozenset({"Q1", "Q3", "G9"})


def plan_batches(
    eligibility: Judged,
    *,
    name_prefix: str,
    options: BatchOptions | None = None,
    rulebook: Rules | None = None,
    name_template: str | None = None,
    group_order: Literal["name", "smallest", "given"] = "name",
    priority: Mapping[str, float] | None = None,
) -> Plan:
    """Return the fewest create requests for every server that may be protected, and why the others are left out.

    Servers with verdict ``eligible`` or ``warning`` and one protection group are planned; servers that share
    volumes stay in one batch; no batch is over the limit.  The same frames in any order of rows give the same plan,
    and one server more changes few batches.

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
    name_template
        For example ``"{group}-{batch:03d}"`` in place of prefix and number; see ``naming.name_batches``.
    group_order
        Order of protection groups: by ``"name"``, ``"smallest"`` (fewest batches first) or as ``"given"`` in the
        order of the servers asked for.
    priority
        Server id -> number, lower first: who goes first where the quota does not reach for all.

    Raises
    ------
    PlanError
        Options or prefix break the limits of the service; every reason is named.
    NothingEligibleError
        No server can be planned; the message holds the most frequent reasons.

    Notes
    -----
    Pure: touches neither network nor disk and changes no frame.
    """
    options = options or eligibility.options
    _refuse_bad_options(eligibility, options, name_prefix, name_template)
    selection = select(eligibility, options.batch_limit, priority)
    if selection.taken.empty:
        raise _nothing(selection.left_out)
    groups = eligibility.inventory.groups.drop_duplicates("group_id").set_index("group_id")
    names = {group: _text(groups["name"].get(group)) for group in selection.taken["group_id"].unique()}
    packed = _packed(selection.taken, options.batch_limit)
    order = _group_order(packed, names, group_order, eligibility.asked, selection.taken)
    contents = [(group, servers) for group in order for servers in packed[group].servers]
    wanted = [NameRequest(name_prefix, names[group] or group) for group, _servers in contents]
    existing = eligibility.inventory.protected_instances["name"].dropna()
    prefixes, notes = name_batches(wanted, template=name_template, existing=existing)
    batches = tuple(
        _batch(number, group, prefix, servers, options)
        for number, ((group, servers), prefix) in enumerate(zip(contents, prefixes, strict=True), start=1)
    )
    return Plan(
        batches=batches,
        options=options,
        name_prefix=name_prefix,
        rulebook_version=(rulebook or eligibility.rulebook).version,
        notes=(*selection.notes, *notes),
        bodies=tuple(payload_bytes(batch) for batch in batches),
        facts=read_facts(eligibility.inventory, selection.taken["server_id"], order),
        left_out_frame=selection.left_out,
        proof_frame=_proof(packed, order, names, options.batch_limit),
    )


class _Packed(NamedTuple):
    """The batches of one key as server ids, and the packing they come from."""

    servers: list[tuple[str, ...]]
    packing: Packing


def _refuse_bad_options(eligibility: Judged, options: BatchOptions, name_prefix: str, template: str | None) -> None:
    """Raise one error with every reason why no request of this plan could be sent."""
    low, high = _LIMITS
    problems = []
    if not low <= options.batch_limit <= high:
        problems.append(
            _(
                "The batch limit {limit} is out of range. Give {low} to {high} servers a request; the service takes 5 "
                "unless yours was raised.",
                limit=options.batch_limit,
                low=low,
                high=high,
            )
        )
    sample = _batch(1, "group", "sample" if template else name_prefix, ("server",), options)
    problems += batch_problems(sample)
    if options == eligibility.options:
        problems += _request_blockers(eligibility.request_findings, problems)
    known = set(eligibility.inventory.servers["server_id"])
    problems += [
        _(
            "Server {server_id} has a flavor in the options and is not in the inventory. Correct its id or take it "
            "out.",
            server_id=server_id,
        )
        for server_id in sorted(set(options.flavors or ()) - known)
    ]
    if problems:
        raise PlanError("\n".join(problems))


def _request_blockers(findings: pd.DataFrame, said: Sequence[str]) -> list[str]:
    """Return what eligibility found wrong with the request, unless the limits of the payload said it all."""
    if findings.empty or said:
        return []
    blockers = findings[findings["severity"].eq("blocker") & ~findings["rule"].isin(_OWN_RULES)]
    remedies = blockers["remedy"] if "remedy" in blockers else pd.Series("", index=blockers.index)
    return [f"{message} {_text(remedy)}".strip() for message, remedy in zip(blockers["message"], remedies, strict=True)]


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


def _packed(taken: pd.DataFrame, limit: int) -> dict[str, _Packed]:
    """Return the batches of every key, packed on its own; ``taken`` is sorted by name and id."""
    places = _places(taken["name"], taken["server_id"])
    units: dict[str, dict[str, list[int]]] = {}
    for row, (group, unit) in enumerate(zip(taken["group_id"], taken["unit"], strict=True)):
        units.setdefault(group, {}).setdefault(unit, []).append(row)
    server_ids = taken["server_id"].tolist()
    packed = {}
    for group, members in units.items():
        rows = list(members.values())
        packing = pack([Unit(places[each[0]], len(each)) for each in rows], limit)
        batches = [sorted(row for unit in batch for row in rows[unit]) for batch in packing.batches]
        packed[group] = _Packed([tuple(server_ids[row] for row in batch) for batch in batches], packing)
    return packed


def _places(names: "pd.Series[str]", server_ids: "pd.Series[str]") -> list[int]:
    """Return the position of every server among all names there could be, as a number."""
    keys = [f"{name}\0{server_id}".encode() for name, server_id in zip(names, server_ids, strict=True)]
    width = max(map(len, keys), default=0)
    return [int.from_bytes(key.ljust(width, b"\0")) for key in keys]


def _group_order(
    packed: Mapping[str, _Packed], names: Mapping[str, str], order: str, asked: Sequence[str], taken: pd.DataFrame
) -> list[str]:
    by_name = sorted(packed, key=lambda group: (names[group], group))
    if order == "smallest":
        return sorted(by_name, key=lambda group: len(packed[group].servers))
    if order == "given":
        group_of = dict(zip(taken["server_id"], taken["group_id"], strict=True))
        return list(dict.fromkeys(group_of[server] for server in asked if server in group_of))
    return by_name


def _batch(number: int, group_id: str, name_prefix: str, servers: tuple[str, ...], options: BatchOptions) -> Batch:
    flavors = options.flavors or {}
    return Batch(
        batch_id=f"b{number:03d}",
        group_id=group_id,
        name_prefix=name_prefix,
        server_ids=servers,
        flavors={server: flavors[server] for server in servers if flavors.get(server)} if flavors else {},
        cluster_id=options.cluster_id,
        primary_subnet_id=options.primary_subnet_id,
        tenancy=options.tenancy,
        dedicated_host_id=options.dedicated_host_id,
        tags=options.tags or (),
        description=options.description,
    )


def _proof(packed: Mapping[str, _Packed], order: Sequence[str], names: Mapping[str, str], limit: int) -> pd.DataFrame:
    rows = []
    for group in order:
        servers, packing = packed[group]
        count = sum(map(len, servers))
        rows.append(
            (
                group,
                names[group],
                count,
                len(servers),
                packing.lower_bound,
                packing.is_proven,
                _why(packing, count, limit),
            )
        )
    columns = ["group_id", "name", "servers", "batches", "lower_bound", "proven", "why"]
    return pd.DataFrame(rows, columns=columns)


def _why(packing: Packing, count: int, limit: int) -> str:
    if not packing.is_proven:
        return _(
            "At least {bound} batches are needed and {count} were found; the search for fewer was stopped.",
            bound=packing.lower_bound,
            count=len(packing.batches),
        )
    if packing.bound_by == "servers":
        return _("{count} servers at {limit} a batch need no fewer.", count=count, limit=limit)
    return _("Clusters that must stay whole need no fewer.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
