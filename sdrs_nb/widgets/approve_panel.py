"""The exact payloads, what sending them brings about, and the approval by typing the count."""

import json
from datetime import datetime

import ipywidgets

from sdrs_nb.cloud.endpoints import origin_of
from sdrs_nb.home import operator_name
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.payloads.requests import curl_line, hcloud_line
from sdrs_nb.planning.approvals import signers
from sdrs_nb.planning.foresight import consequences
from sdrs_nb.planning.planning import Plan
from sdrs_nb.running.scopes import scope_of, where
from sdrs_nb.shown import html
from sdrs_nb.shown.texts import json_text
from sdrs_nb.shown.words import word
from sdrs_nb.widgets.panel import WIDE, Panel, button, folded, row, text_field
from sdrs_nb.widgets.pictures import Card, cards, marked, records
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, StepState

__all__ = ["ApprovePanel"]


class ApprovePanel(Panel):
    """The bytes that will be sent, searchable and as command lines; changes since the last plan; the approval.

    Parameters
    ----------
    state
        The workbench's state, with a plan.
    """

    def __init__(self, state: WorkbenchState) -> None:
        super().__init__(state, Step.APPROVE)
        self._drawn: Plan | None = None
        self._problem = ""
        self._facts = ipywidgets.HTML()
        self._consequences, self._open = ipywidgets.HTML(), ipywidgets.HTML()
        self._diff = ipywidgets.HTML()
        self._changes = folded(_("What is different from the last plan"), self._diff)
        self.search = ipywidgets.Text(
            description=_("Search payloads"), placeholder=_("name prefix, server id, ..."), style=WIDE
        )
        self.search.observe(self._on_search_change, names="value")
        self._found = ipywidgets.Label()
        self.batch = ipywidgets.Dropdown(
            description=_("Payload of batch"), style=WIDE, layout=ipywidgets.Layout(width="520px")
        )
        self.batch.observe(self._on_batch_change, names="value")
        self.form = ipywidgets.Dropdown(
            options=[("JSON", "json"), ("curl", "curl"), ("hcloud", "hcloud")], description=_("As"), style=WIDE,
            layout=ipywidgets.Layout(width="150px"),
        )  # fmt: skip
        self.form.observe(self._on_batch_change, names="value")
        self._payload = ipywidgets.HTML()
        self._who = text_field(operator_name(), description=_("Approved by"))
        self._count = text_field(description=_("Type the number of servers to approve"), width="340px")
        self._approve = button(_("Approve"), self._on_approve_click, style="warning")
        self._withdraw = button(_("Withdraw the approval"), self._on_withdraw_click)
        self._pilot = ipywidgets.Checkbox(
            description=_("Pilot: send one batch first, compare what it brings about, and wait"), indent=False,
            layout=ipywidgets.Layout(width="auto"),
        )  # fmt: skip
        self._pilot.observe(self._on_pilot_change, names="value")
        self._approval = ipywidgets.HTML()
        self._body = ipywidgets.VBox(
            [
                self._facts,
                self._consequences,
                self._open,
                self._changes,
                row(self.search, self._found),
                row(self.batch, self.form),
                self._payload,
                self._pilot,
                self._approval,
                row(self._who, self._count, self._approve, self._withdraw),
            ]
        )
        self._fill([self._body])

    def _on_search_change(self, _change: object) -> None:
        if self.state.plan is not None:
            self._offer(self.state.plan)

    def _on_batch_change(self, _change: object) -> None:
        self._draw_payload()

    def _on_pilot_change(self, _change: object) -> None:
        self.state.pilot = bool(self._pilot.value)

    def _on_approve_click(self) -> None:
        self._problem = self.state.approve(self._count.value, self._who.value.strip()) or ""
        self._count.value = ""
        self._draw_approval()

    def _on_withdraw_click(self) -> None:
        self.state.withdraw()

    def _draw(self) -> None:
        plan = self.state.plan
        self._body.layout.display = "none" if plan is None else ""
        if plan is not None and plan is not self._drawn:
            self._drawn = plan
            self._problem = ""
            self._draw_plan(plan)
        self._draw_approval()

    def _draw_plan(self, plan: Plan) -> None:
        facts = [
            (_("Servers"), self.state.planned_servers),
            (_("Requests"), len(plan.batches)),
            (_("Fingerprint"), plan.fingerprint[:16] + "…"),
        ]
        self._facts.value = html.fragment(html.facts(facts))
        self._consequences.value = self._told(plan)
        self._open.value = _open_points(plan)
        self._pilot.value = self.state.wants_pilot
        last = self.state.last_plan
        self._changes.layout.display = "none" if last is None else ""
        self._diff.value = "" if last is None else html.fragment(html.table(last.diff(plan), 50))
        self._offer(plan)

    def _told(self, plan: Plan) -> str:
        common = [Card("warning", word("warning"), text) for text in plan.warnings]
        if self.state.eligibility is None:  # a run that was opened again: its findings are in the ledger
            return cards(common)
        found = consequences(plan, self.state.eligibility.by_server(plan.servers["server_id"]))
        follows = [
            Card(
                "warning",
                ngettext_("{count} server", "{count} servers", row["servers"]),
                row["text"],
                row["constraint"],
            )
            for row in records(found)
        ]
        return cards([*common, *follows])

    def _offer(self, plan: Plan) -> None:
        wanted = self.search.value.strip().casefold()
        found = [one for one, body in zip(plan.batches, plan.bodies, strict=True)
                 if wanted in body.decode().casefold()]  # fmt: skip
        self._found.value = (
            ngettext_("{count} of {all} request", "{count} of {all} requests", len(found), all=len(plan.batches))
            if wanted
            else ""
        )
        chosen = self.batch.value
        self.batch.options = [
            (_("{batch}: {count} servers, prefix {prefix}", batch=one.batch_id, count=len(one.server_ids),
               prefix=one.name_prefix), one.batch_id)
            for one in found
        ]  # fmt: skip
        if found:
            self.batch.value = chosen if chosen in {one.batch_id for one in found} else found[0].batch_id
        self._draw_payload()

    def _draw_payload(self) -> None:
        plan, batch_id = self.state.plan, self.batch.value
        if plan is None or not batch_id:
            self._payload.value = html.message(_("No request holds this text.")) if self.search.value.strip() else ""
            return
        title = _("Payload of batch {batch}", batch=batch_id)
        self._payload.value = marked(self._as(plan, str(batch_id)), self.search.value.strip(), title)

    def _as(self, plan: Plan, batch_id: str) -> str:
        settings = None if self.cloud is None else self.cloud.settings
        project = (settings.project_id if settings else None) or "{project_id}"
        match self.form.value:
            case "curl":
                return curl_line(
                    plan.batch(batch_id),
                    origin_of("sdrs", settings) if settings else "https://sdrs.{region}.{cloud_host}",
                    project,
                    book=plan.rulebook,
                )
            case "hcloud":
                region = (settings.region if settings else None) or ""
                return hcloud_line(plan.batch(batch_id), project_id=project, region=region, book=plan.rulebook)
        return json_text(json.loads(plan.payload_bytes(batch_id)), indent=2)

    def _draw_approval(self) -> None:
        now = self.state.state_of(Step.APPROVE)
        self._approve.disabled = self._count.disabled = now != StepState.READY
        self._pilot.disabled = self.state.run is not None
        self._withdraw.layout.display = "" if self.state.approval is not None and self.state.run is None else "none"
        parts = []
        if self.state.approval is not None:
            parts = [_signed(one.who, one.when) for one in signers(self.state.approval)]
        if now == StepState.READY and self.state.plan is not None:
            needed = self.state.plan.approvals_needed
            if needed > 1:
                text = _("{given} of {needed} persons have approved this plan.", given=len(parts), needed=needed)
                parts.append(html.message(text, "warning"))
            text = _(
                "Submitting creates {count} protected instances with DR servers and volumes that are billed.",
                count=self.state.planned_servers,
            )
            if self.cloud is not None and (identity := self.cloud.identity) is not None:
                parts.append(html.paragraph(_("Where: {where}", where=where(scope_of(identity)))))
            parts += [html.message(self._problem, "bad")] if self._problem else []
            parts.append(html.message(text, "warning"))
        self._approval.value = "".join(parts)


def _open_points(plan: Plan) -> str:
    if not plan.open_points:
        return ""
    more = len(plan.open_points) - html.FEW
    told = [_("Entries of the list that selected nobody, so they are not in this plan:"), *plan.open_points[: html.FEW]]
    return html.message("\n".join([*told, *([f"+{more}"] * (more > 0))]), "warning")


def _signed(who: str, when: datetime) -> str:
    text = _("Approved by {who} at {when}: exactly these requests, nothing else.",
             who=who or "-", when=f"{when:%Y-%m-%d %H:%M:%S} UTC")  # fmt: skip
    return html.message(text, "good")
