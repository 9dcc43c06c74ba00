"""Which cloud, as whom, and what that person may do there; or a sandbox, or a file, instead of a cloud."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import ipywidgets
import pandas as pd

from sdrs_nb.cloud import Cloud, connect
from sdrs_nb.doctor.examining import doctor
from sdrs_nb.doctor.findings import Diagnosis
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.inventory.access import check_access
from sdrs_nb.shown import html
from sdrs_nb.widgets.opening import FileOpener
from sdrs_nb.widgets.panel import Panel, button, folded, row
from sdrs_nb.widgets.pictures import Card, cards, records
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step

__all__ = ["ConnectPanel", "Rehearsal"]

_STATES = {"ok": "good", "denied": "bad", "failed": "warning"}


class Rehearsal(Protocol):
    """What starting a sandbox gives: something to connect to."""

    def connect(self) -> Cloud:
        """Return a connection to it."""


class ConnectPanel(Panel):
    """Credentials found and where, never their value; project, region, permissions; a sandbox in one click.

    Parameters
    ----------
    state
        The workbench's state; a panel that stands alone makes its own.
    sandbox
        Starts a sandbox cloud, such as ``sdrs_nb.start_sandbox``; without it the panel offers none.
    """

    def __init__(self, state: WorkbenchState | None = None, *, sandbox: Callable[[], Rehearsal] | None = None) -> None:
        super().__init__(state or WorkbenchState(), Step.CONNECT)
        self._sandbox = sandbox
        self.rehearsal: Rehearsal | None = None
        self._connect = button(_("Connect"), self._on_connect_click, style="primary")
        hint = _("A cloud on this machine to practise on; nothing there costs money")
        thorough = _("The way there, clocks, permissions, quotas, whose rules hold; only reads")
        self._examine = button(_("Doctor"), self._on_examine_click, tooltip=thorough)
        self._rehearse = button(_("Start a sandbox cloud"), self._on_rehearse_click, tooltip=hint)
        self._facts = ipywidgets.HTML()
        self._access = ipywidgets.HTML()
        self._diagnosis = ipywidgets.HTML()
        self.opener = FileOpener(self.state, self.background)
        self._fill(
            [
                row(self._connect, self._examine, self._rehearse),
                self._facts,
                self._diagnosis,
                self._access,
                folded(_("Work on a file instead of a cloud"), self.opener),
            ]
        )

    def _on_connect_click(self) -> None:
        if not self._is_free:
            return
        try:
            if self.cloud is None:
                self.state.connect(connect())
        except SdrsError as error:
            self.state.fail(self.step, str(error))
            return
        self._check()

    def _on_examine_click(self) -> None:
        if self._is_free and self.cloud is not None:
            self.state.begin(self.step)
            work = doctor(self.cloud, rulebook=self.state.asked_rulebook)
            self.background.start("check", work, done=self._on_examined, failed=self._failed)

    def _on_examined(self, diagnosis: Diagnosis) -> None:
        self.state.end(self.step)
        self.state.set_diagnosis(diagnosis)

    def _on_rehearse_click(self) -> None:
        if self._is_free and self._sandbox is not None:
            self.state.begin(self.step)
            work = self._rehearsing(self._sandbox)
            self.background.start("check", work, done=self._on_checked, failed=self._failed)

    async def _rehearsing(self, start: Callable[[], Rehearsal]) -> pd.DataFrame:
        self.rehearsal = await asyncio.to_thread(start)
        cloud = self.rehearsal.connect()
        self.state.connect(cloud)
        return await check_access(cloud)

    def _check(self) -> None:
        assert self.cloud is not None  # noqa: S101 - the caller set it
        self.state.begin(self.step)
        self.background.start("check", check_access(self.cloud), done=self._on_checked, failed=self._failed)

    def _on_checked(self, access: pd.DataFrame) -> None:
        self.state.end(self.step)
        self.state.set_access(access)

    def _draw(self) -> None:
        cloud = self.cloud
        self._connect.disabled = not self._is_free
        self._connect.description = _("Connect") if cloud is None else _("Check access")
        self._examine.disabled = cloud is None or not self._is_free
        self._rehearse.disabled = not self._is_free
        self._rehearse.layout.display = "none" if self._sandbox is None or self.rehearsal is not None else ""
        self._facts.value = _settings(cloud) if cloud is not None else html.message(
            _("Connect looks for credentials in the environment, clouds.yaml and the SDK's credentials file. Nothing "
              "is changed in the cloud before you approve a plan.")
        )  # fmt: skip
        diagnosis = self.state.diagnosis
        self._diagnosis.value = "" if diagnosis is None else diagnosis._repr_html_()
        access = self.state.access
        self._access.value = "" if access is None else _shown_access(access) + self._rules()

    def _rules(self) -> str:
        return html.message(self.state.rulebook_reason) + self._batch_call()

    def _batch_call(self) -> str:
        # Only a create request would prove it, and none is sent before a plan is approved.
        if self.state.rulebook.limit("batch_create"):
            return html.message(_("This site has the batch-create call, as its documentation says."), "good")
        return html.message(
            _("This site has no batch-create call: every server is a request of its own, and servers with shared "
              "volumes are left out."), "warning",
        )  # fmt: skip


def _settings(cloud: Cloud) -> str:
    settings = cloud.settings
    facts = [
        (_("Cloud"), settings.endpoint or settings.cloud_host),
        (_("Region"), settings.region or "-"),
        (_("Project"), settings.project_id or settings.project_name or settings.region or "-"),
        (_("Signed in by"), {"token": _("token"), "access key": _("access key"), "password": _("password")}[
            settings.kind]),
    ]  # fmt: skip
    places = [f"{name}: {place}" for name, place in settings.found_in.items()]
    found = [html.paragraph(_("Found in: {places}.", places="; ".join(places)))] if places else []
    if settings.unused:
        found.append(html.paragraph(_("Found and not used: {places}.", places="; ".join(settings.unused))))
    return html.fragment(html.facts(facts), *found)


def _shown_access(access: pd.DataFrame) -> str:
    words = {"ok": _("may be read"), "denied": _("no permission"), "failed": _("no answer")}
    return cards(
        [
            Card(
                _STATES[row["state"]],
                words[row["state"]],
                row["about"],
                row["service"].upper(),
                [(_("Why"), row["message"])],
            )
            for row in records(access.fillna({"message": ""}))
        ],
        width=220,
    )
