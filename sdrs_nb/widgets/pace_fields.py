"""How fast a run goes and how long it waits, as fields that write to the state; nothing of it is in the requests."""

import ipywidgets

from sdrs_nb.i18n import _
from sdrs_nb.widgets.panel import WIDE, row
from sdrs_nb.widgets.state import WorkbenchState

__all__ = ["PaceFields"]

_MINUTE_S = 60


class PaceFields(ipywidgets.VBox):
    """Groups side by side, how long jobs and failing calls may take, how often a create is resent.

    Parameters
    ----------
    state
        Takes every edit; the next run is submitted with them.
    """

    def __init__(self, state: WorkbenchState) -> None:
        self._state = state
        pace = state.pace
        self.groups = _number(pace.groups_at_once or 0, 0, _("Groups side by side (0: all of a wave)"))
        self.job = _number(int(pace.job_limit_s) // _MINUTE_S, 1, _("A job may take, minutes"))
        self.patience = _number(int(pace.patience_s) // _MINUTE_S, 0, _("Failing calls are tried again for, minutes"))
        self.resends = _number(pace.resends, 0, _("A create that did nothing is sent again, times"))
        fields = (self.groups, self.job, self.patience, self.resends)
        for field in fields:
            field.observe(self._on_change, names="value")
        super().__init__([row(*fields)])

    def _on_change(self, _change: object) -> None:
        self._state.set_pace(
            groups_at_once=self.groups.value or None,
            job_limit_s=self.job.value * _MINUTE_S,
            patience_s=self.patience.value * _MINUTE_S,
            resends=self.resends.value,
        )


def _number(value: int, low: int, title: str) -> ipywidgets.BoundedIntText:
    made = ipywidgets.BoundedIntText(value, min=low, max=10_000, description=title, style=WIDE)
    made.layout.width = "340px"
    return made
