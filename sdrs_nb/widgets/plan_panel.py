"""Plan the batches: what requests share, batches a group, why there are no fewer, quotas after it, who is left out."""

import asyncio

import ipywidgets
import pandas as pd

from sdrs_nb.errors import LedgerError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.planning.foresight import capacity
from sdrs_nb.planning.planning import Plan
from sdrs_nb.running.job_history import job_durations
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import text_of
from sdrs_nb.shown.titles import grid_titles
from sdrs_nb.shown.tones import VERDICT_TONES
from sdrs_nb.tables import LEFT_OUT, empty
from sdrs_nb.widgets.eligibility_panel import verdict_words
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.panel import WIDE, Panel, button, folded, row, text_field
from sdrs_nb.widgets.pictures import Card, cards, records
from sdrs_nb.widgets.plan_options import PlanOptions
from sdrs_nb.widgets.plan_overrides import PlanOverrides
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step

__all__ = ["PlanPanel"]

_BATCHES = {
    "batch_id": "string",
    "group": "string",
    "wave": "Int64",
    "servers": "Int64",
    "volumes": "Int64",
    "size_gib": "Int64",
    "name_prefix": "string",
    "names": "string",
    "group_id": "string",
}


class PlanPanel(Panel):
    """Batches per group as cards, every batch in a grid, proof of the minimum, quotas, and who is left out and why.

    Parameters
    ----------
    state
        The workbench's state.
    """

    def __init__(self, state: WorkbenchState) -> None:
        super().__init__(state, Step.PLAN)
        self._drawn: Plan | None = None
        self._prefix = text_field(state.name_prefix, description=_("Name prefix"))
        self._prefix.observe(self._on_prefix_change, names="value")
        self._limit = ipywidgets.BoundedIntText(
            state.options.batch_limit,
            min=1,
            max=state.rulebook.number("raised_batch_size"),
            description=_("Servers per request"),
            style=WIDE,
        )
        self._limit.layout.width = "220px"
        self._limit.observe(self._on_limit_change, names="value")
        self._plan = button(_("Plan batches"), self._on_plan_click, style="primary")
        self.options = PlanOptions(state)
        self.overrides = PlanOverrides(state)
        self._overrides = folded(self.overrides.title, self.overrides)
        self._summary = ipywidgets.HTML()
        self._groups = ipywidgets.HTML()
        self._quota = ipywidgets.HTML()
        self.batches = Grid(
            pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _BATCHES.items()}),
            "batch_id",
            labels=grid_titles(),
            visible=("batch_id", "group", "servers", "size_gib", "name_prefix", "names"),
            title=_("Batches"),
            height=260,
        )
        self.left_out = Grid(
            empty(LEFT_OUT),
            "server_id",
            ("name", "server_id", "reason", "verdict", "rules", "group_id"),
            visible=("name", "verdict", "rules", "reason"),
            labels=grid_titles(),
            status_columns={"verdict": VERDICT_TONES},
            words={"verdict": verdict_words()},
            title=_("Left out"),
            height=260,
        )
        self._left_out_title = ipywidgets.HTML(html.fragment(html.heading(_("Left out, with the reason"))))
        self._body = ipywidgets.VBox(
            [
                self._summary,
                self._groups,
                folded(_("Quotas before and after"), self._quota),
                self.batches,
                self._left_out_title,
                self.left_out,
            ]
        )
        self._fill(
            [
                row(self._prefix, self._limit, self._plan),
                folded(_("More that all requests share"), self.options),
                self._overrides,
                self._body,
            ]
        )

    def _on_prefix_change(self, change: dict[str, object]) -> None:
        self.state.set_planning(name_prefix=str(change["new"]))

    def _on_limit_change(self, change: dict[str, object]) -> None:
        self.state.set_options(batch_limit=change["new"])

    def _on_plan_click(self) -> None:
        if self._is_free:
            self.state.begin(self.step)
            self.background.start("plan", asyncio.to_thread(self._plan_now), failed=self._failed)

    def _plan_now(self) -> None:
        self.state.make_plan()
        if not self.state.failure(self.step):
            self.state.end(self.step)

    def _draw(self) -> None:
        self._plan.disabled = not self._is_free
        self._limit.max = self.state.rulebook.number("raised_batch_size")
        self.overrides.draw()
        self._overrides.titles = (self.overrides.title,)
        plan = self.state.plan
        self._body.layout.display = "none" if plan is None else ""
        if plan is not None and plan is not self._drawn:
            self._drawn = plan
            self._draw_plan(plan, self.state.inventory)

    def _draw_plan(self, plan: Plan, inventory: Inventory | None) -> None:
        self._summary.value = _summary(plan, inventory)
        self._groups.value = _group_cards(plan)
        self._quota.value = _quotas(plan, inventory)
        self.batches.update(_batches(plan))
        self.left_out.update(plan.left_out)


def _summary(plan: Plan, inventory: Inventory | None) -> str:
    estimate = plan.estimate(inventory, _history(inventory))
    facts = [
        (_("Servers planned"), estimate.instances),
        (_("Requests"), estimate.requests),
        (_("Protection groups"), len({batch.group_id for batch in plan.batches})),
        (_("Left out"), len(plan.omitted)),
        (_("Replication pairs"), estimate.pairs),
        (_("GiB to copy"), f"{estimate.size_gib:,}"),
        (_("Fingerprint"), plan.fingerprint[:16] + "…"),
    ]
    text = str(estimate).partition("\n")[2]
    return html.fragment(html.facts(facts), *(html.paragraph(note) for note in [*text.split("\n"), *plan.remarks]))


def _history(inventory: Inventory | None) -> list[float]:
    """Return how long earlier jobs of this cloud and project took."""
    if inventory is None or inventory.about.project_id is None:
        return []
    try:
        return job_durations(endpoint=inventory.about.origin, project_id=inventory.about.project_id)
    except LedgerError:  # an estimate may do without; submitting will say what is wrong
        return []


def _group_cards(plan: Plan) -> str:
    groups = plan.facts.groups.set_index("group_id")
    made = []
    for proof in records(plan.proof):
        group_id = str(proof["group_id"])
        group = groups.loc[group_id] if group_id in groups.index else pd.Series(dtype="object")
        requests = ngettext_("{count} request", "{count} requests", proof["batches"])
        servers = ngettext_("{count} server", "{count} servers", proof["servers"])
        sites = [text_of(group.get("production_az")), text_of(group.get("dr_az"))]
        facts = [
            (_("Sites"), " → ".join(site for site in sites if site)),
            (_("Status"), text_of(group.get("status"))),
            (_("Shared by all"), text_of(proof["shared"])),
            (_("Why no fewer"), text_of(proof["why"])),
        ]
        fewest = _("fewest possible") if proof["proven"] else _("not proven fewest")
        title = f"{text_of(proof['name']) or group_id}: {servers}, {requests}"
        made.append(Card("good" if proof["proven"] else "warning", fewest, title, "", facts))
    return cards(made)


def _quotas(plan: Plan, inventory: Inventory | None) -> str:
    found = None if inventory is None else capacity(plan, inventory)
    if found is None or found.empty:
        return html.message(_("No quota was read, so none can be compared. Load the inventory from the cloud."))
    labels = {
        "what": _("Quota"),
        "used": _("In use"),
        "planned": _("This plan"),
        "after": _("After"),
        "quota": _("Allowed"),
    }
    table = html.table(found, None, columns=list(labels), labels=labels)
    short = found.loc[~found["fits"], "what"].tolist()
    text = _("This plan goes over the quota of {names}: ask for more before submitting.", names=", ".join(short))
    return html.fragment(table) + (html.message(text, "bad") if short else "")


def _batches(plan: Plan) -> pd.DataFrame:
    servers = plan.servers
    names = plan.facts.groups.set_index("group_id")["name"].to_dict()
    sums = servers.groupby("batch_id")[["volumes", "size_gib"]].sum()
    who = servers.assign(name=servers["name"].fillna("")).groupby("batch_id")["name"].agg(", ".join)
    rows = [
        (
            each.batch_id,
            text_of(names.get(each.group_id)) or each.group_id,
            each.wave,
            len(each.server_ids),
            sums["volumes"][each.batch_id],
            sums["size_gib"][each.batch_id],
            each.name_prefix,
            who[each.batch_id],
            each.group_id,
        )
        for each in plan.batches
    ]
    return pd.DataFrame(rows, columns=list(_BATCHES)).astype(_BATCHES)
