"""What all requests of a plan share beyond prefix and size, as fields that write to the state."""

import ipywidgets

from sdrs_nb.i18n import _
from sdrs_nb.planning.approvals import MOST_APPROVALS
from sdrs_nb.planning.overrides import read_tags
from sdrs_nb.widgets.panel import WIDE, row, text_field
from sdrs_nb.widgets.state import WorkbenchState

__all__ = ["PlanOptions"]


class PlanOptions(ipywidgets.VBox):
    """Description, tags, where DR servers are made, waves, and how many persons must approve.

    Parameters
    ----------
    state
        Takes every edit; rules judge the values when eligibility is checked, nothing is refused here.
    """

    def __init__(self, state: WorkbenchState) -> None:
        self._state = state
        options = state.options
        self.description = text_field(options.description or "", description=_("Description"))
        self.tags = text_field(
            ", ".join(f"{tag.key}={tag.value}" for tag in options.tags or ()),
            description=_("Tags"), placeholder="key=value, key=value",
        )  # fmt: skip
        self.tenancy = ipywidgets.Dropdown(
            options=[(_("as the service decides"), ""), (_("shared"), "shared"), (_("dedicated"), "dedicated")],
            value=options.tenancy or "", description=_("DR servers"), style=WIDE,
        )  # fmt: skip
        self.host = text_field(options.dedicated_host_id or "", description=_("Dedicated host ID"))
        self.pool = text_field(options.cluster_id or "", description=_("Storage pool ID"))
        self.subnet = text_field(options.primary_subnet_id or "", description=_("Subnet ID"))
        self.waves = ipywidgets.BoundedIntText(
            state.wave_limit or 0, min=0, max=100_000, description=_("Servers per wave (0: one wave)"), style=WIDE
        )
        self.approvals = ipywidgets.BoundedIntText(
            state.approvals_needed, min=1, max=MOST_APPROVALS, description=_("Persons who must approve"), style=WIDE
        )
        fields = (self.description, self.tags, self.tenancy, self.host, self.pool, self.subnet)
        for field in fields:
            field.layout.width = "340px"
            field.observe(self._on_option_change, names="value")
        for number in (self.waves, self.approvals):
            number.layout.width = "280px"
            number.observe(self._on_planning_change, names="value")
        super().__init__([row(*fields), row(self.waves, self.approvals)])

    def _on_option_change(self, _change: object) -> None:
        self._state.set_options(
            description=self.description.value or None,
            tags=read_tags(self.tags.value) or None,
            tenancy=self.tenancy.value or None,
            dedicated_host_id=self.host.value.strip() or None,
            cluster_id=self.pool.value.strip() or None,
            primary_subnet_id=self.subnet.value.strip() or None,
        )

    def _on_planning_change(self, _change: object) -> None:
        self._state.set_planning(wave_limit=self.waves.value, approvals_needed=self.approvals.value)
