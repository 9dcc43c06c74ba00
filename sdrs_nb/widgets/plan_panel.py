"""Plan the batches, look at the exact payloads, and approve them by typing the count."""

import getpass
import json

import ipywidgets

from sdrs_nb import html
from sdrs_nb.i18n import _
from sdrs_nb.planning import Plan
from sdrs_nb.tables import LEFT_OUT, empty
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.inventory_panel import server_labels
from sdrs_nb.widgets.panel import Panel, button, row
from sdrs_nb.widgets.state import Step, StepState, WorkbenchState

__all__ = ["PlanPanel"]

_WIDE = {"description_width": "initial"}


class PlanPanel(Panel):
    """Batches per group, who is left out and why, the bytes that will be sent, and the approval.

    Parameters
    ----------
    state
        The workbench's state.
    """

    def __init__(self, state: WorkbenchState) -> None:
        super().__init__(state, Step.PLAN, _("Plan"))
        self._drawn: Plan | None = None
        self._problem = ""
        self._prefix = ipywidgets.Text(
            state.name_prefix, description=_("Name prefix"), style=_WIDE, continuous_update=False
        )
        self._prefix.observe(self._on_prefix_change, names="value")
        self._limit = ipywidgets.BoundedIntText(
            state.options.batch_limit, min=1, max=50, description=_("Servers per request"), style=_WIDE
        )
        self._limit.layout.width = "220px"
        self._limit.observe(self._on_limit_change, names="value")
        self._plan = button(_("Plan batches"), self._on_plan_click, style="primary")
        self._summary = ipywidgets.HTML()
        self._batch = ipywidgets.Dropdown(
            description=_("Payload of batch"), style=_WIDE, layout=ipywidgets.Layout(width="520px")
        )
        self._batch.observe(self._on_batch_change, names="value")
        self._payload = ipywidgets.HTML()
        self.left_out = Grid(
            empty(LEFT_OUT),
            "server_id",
            ("name", "server_id", "reason", "verdict", "rules", "group_id"),
            visible=("name", "reason", "verdict", "rules"),
            labels=server_labels(),
            title=_("Left out"),
            height=260,
        )
        self._left_out_title = ipywidgets.HTML()
        self._count = ipywidgets.Text(
            description=_("Type the number of servers to approve"), style=_WIDE, layout=ipywidgets.Layout(width="340px")
        )
        self._approve = button(_("Approve"), self._on_approve_click, style="warning")
        self._withdraw = button(_("Withdraw the approval"), self._on_withdraw_click)
        self._approval = ipywidgets.HTML()
        self._fill(
            [
                row(self._prefix, self._limit, self._plan),
                self._summary,
                self._batch,
                self._payload,
                self._left_out_title,
                self.left_out,
                row(self._count, self._approve, self._withdraw),
                self._approval,
            ]
        )

    def _on_prefix_change(self, change: dict[str, object]) -> None:
        self.state.set_name_prefix(str(change["new"]))

    def _on_limit_change(self, change: dict[str, object]) -> None:
        self.state.set_options(batch_limit=change["new"])

    def _on_plan_click(self) -> None:
        if self._is_free:
            self.state.make_plan()

    def _on_batch_change(self, change: dict[str, object]) -> None:
        if self.state.plan is not None and change["new"]:
            self._payload.value = _payload_of(self.state.plan, str(change["new"]))

    def _on_approve_click(self) -> None:
        self._problem = self.state.approve(self._count.value, _user()) or ""
        self._count.value = ""
        self._draw_approval()

    def _on_withdraw_click(self) -> None:
        self.state.withdraw()

    def _draw(self) -> None:
        self._plan.disabled = not self._is_free
        plan = self.state.plan
        if plan is not None and plan is not self._drawn:
            self._draw_plan(plan)
        shown = "" if plan is not None else "none"
        for widget in (self._batch, self._payload, self._left_out_title, self.left_out):
            widget.layout.display = shown
        self._draw_approval()

    def _draw_plan(self, plan: Plan) -> None:
        self._drawn = plan
        self._problem = ""
        count = sum(len(batch.server_ids) for batch in plan.batches)
        facts = [
            (_("Servers planned"), count),
            (_("Requests"), len(plan.batches)),
            (_("Protection groups"), len({batch.group_id for batch in plan.batches})),
            (_("Left out"), len(plan.left_out)),
            (_("Fingerprint"), plan.fingerprint[:16] + "…"),
        ]
        notes = [html.paragraph(note) for note in plan.notes]
        self._summary.value = html.fragment(html.facts(facts), *notes)
        self._batch.options = [
            (_("{batch}: {count} servers, prefix {prefix}", batch=one.batch_id, count=len(one.server_ids),
               prefix=one.name_prefix), one.batch_id)
            for one in plan.batches
        ]  # fmt: skip
        if plan.batches:
            self._batch.value = plan.batches[0].batch_id
            self._payload.value = _payload_of(plan, plan.batches[0].batch_id)
        self.left_out.update(plan.left_out)
        self._left_out_title.value = html.fragment(html.heading(_("Left out, with the reason")))

    def _draw_approval(self) -> None:
        now = self.state.state_of(Step.APPROVE)
        self._approve.disabled = self._count.disabled = now != StepState.READY
        self._withdraw.layout.display = "" if now == StepState.DONE and self.state.run is None else "none"
        approval = self.state.approval
        if approval is not None:
            text = _("Approved by {who} at {when}: exactly these requests, nothing else.",
                     who=approval.who or "-", when=f"{approval.when:%Y-%m-%d %H:%M:%S} UTC")  # fmt: skip
            self._approval.value = html.message(text, "good")
        elif now == StepState.READY:
            text = _(
                "Submitting creates {count} protected instances with DR servers and volumes that are billed.",
                count=self.state.planned_servers,
            )
            problem = html.message(self._problem, "bad") if self._problem else ""
            self._approval.value = problem + html.message(text, "warning")
        else:
            self._approval.value = ""


def _payload_of(plan: Plan, batch_id: str) -> str:
    document = json.loads(plan.payload_bytes(batch_id))
    return html.fragment(html.code(json.dumps(document, ensure_ascii=False, indent=2)))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no user database, as in some containers
        return ""
