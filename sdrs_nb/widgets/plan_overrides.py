"""Overrides in the plan panel: for whom, which field, which value, and what is overridden so far."""

from collections.abc import Mapping

import ipywidgets
import pandas as pd

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _
from sdrs_nb.planning.overrides import flavors_on_offer
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import clipped, text_of
from sdrs_nb.shown.titles import field_titles, grid_titles
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.overrides import Override, told_whom
from sdrs_nb.widgets.panel import WIDE, button, row
from sdrs_nb.widgets.state import WorkbenchState

__all__ = ["PlanOverrides"]

_COLUMNS = ("name", "server_id", "group", "flavor_id", "overrides")
_SELECTED = ""  # the choice that stands for the servers selected in the grid


class PlanOverrides(ipywidgets.VBox):
    """One field at a time for a protection group or for servers selected here; a line with Remove for each.

    Parameters
    ----------
    state
        Takes every override, or says in a sentence what is wrong with it.
    """

    def __init__(self, state: WorkbenchState) -> None:
        self._state = state
        self._drawn: tuple[object, ...] = ()
        wide = ipywidgets.Layout(width="340px")
        self.whom = ipywidgets.Dropdown(
            options=[(_("the servers selected below"), _SELECTED)], description=_("For"), style=WIDE, layout=wide
        )
        self.field = ipywidgets.Dropdown(
            options=[(title, name) for name, title in field_titles().items()],
            description=_("Field"),
            style=WIDE,
            layout=ipywidgets.Layout(width="240px"),
        )
        self.value = ipywidgets.Combobox(
            description=_("Value"), placeholder=_("empty: leave it out"), style=WIDE, layout=wide,
            continuous_update=False,
        )  # fmt: skip
        self.field.observe(self._on_field_change, names="value")
        self._set = button(_("Override"), self._on_set_click)
        self._problem = ipywidgets.HTML()
        self.lines = ipywidgets.VBox()
        self.servers = Grid(
            pd.DataFrame({name: pd.Series(dtype="string") for name in _COLUMNS}),
            "server_id",
            labels=grid_titles() | {"overrides": _("Overrides")},
            title=_("Servers to plan"),
            height=220,
            detail=False,
        )
        super().__init__([row(self.whom, self.field, self.value, self._set), self._problem, self.lines, self.servers])

    @property
    def title(self) -> str:
        """The title to fold this under, with the number of overrides."""
        return _("Overrides per group and server: {count}", count=len(self._state.overrides))

    def draw(self) -> None:
        """Draw what the state says, if it changed."""
        now = (self._state.eligibility, self._state.overrides)
        if len(self._drawn) == len(now) and all(old is new for old, new in zip(self._drawn, now, strict=True)):
            return
        self._drawn = now
        self._draw_choices()
        names = self._state.server_names
        self.lines.children = [self._line(one, names) for one in self._state.overrides]
        if self._state.eligibility is not None:
            self.servers.update(_plannable(self._state.eligibility, self._state))

    def _draw_choices(self) -> None:
        chosen, groups = self.whom.value, self._state.group_names
        offered = sorted((_("Group {name}", name=name), group_id) for group_id, name in groups.items())
        self.whom.options = [(_("the servers selected below"), _SELECTED), *offered]
        self.whom.value = chosen if chosen in groups else _SELECTED
        self._offer_values()

    def _offer_values(self) -> None:
        inventory = self._state.inventory
        offered: dict[str, list[str]] = {"tenancy": ["shared", "dedicated"]}
        if inventory is not None and self.field.value == "flavor_id":
            offered["flavor_id"] = flavors_on_offer(inventory)
        self.value.options = tuple(offered.get(str(self.field.value), ()))

    def _line(self, override: Override, names: Mapping[str, str]) -> ipywidgets.HBox:
        whom = told_whom(override, self._state.group_names, names)
        value = clipped(override.value, 200) or _("no value")
        text = ipywidgets.HTML(html.fragment(html.facts([(whom, f"{field_titles()[override.field]}: {value}")])))
        change = button(_("Edit"), lambda: self._on_change_click(override))
        remove = button(_("Remove"), lambda: self._on_remove_click(override))
        return row(text, change, remove)

    def _on_field_change(self, _change: object) -> None:
        self._problem.value = self.value.value = ""
        self._offer_values()

    def _on_set_click(self) -> None:
        chosen = () if self.whom.value else self.servers.selected
        added = Override(str(self.field.value), self.value.value.strip(), str(self.whom.value), chosen)
        wrong = self._state.set_override(added)
        self._problem.value = html.message(wrong, "bad") if wrong else ""

    def _on_change_click(self, override: Override) -> None:
        self.whom.value = override.group_id
        self.field.value = override.field
        self.value.value = override.value
        there = set(self.servers.rows["server_id"])
        self.servers.selected = [server_id for server_id in override.server_ids if server_id in there]

    def _on_remove_click(self, override: Override) -> None:
        self._state.remove_override(override)


def _plannable(eligibility: Eligibility, state: WorkbenchState) -> pd.DataFrame:
    """Return the servers that a plan may hold, each with what is otherwise for it."""
    verdicts = eligibility.verdicts
    taken = verdicts[verdicts["verdict"].isin(["eligible", "warning"])]
    groups, titles = state.group_names, field_titles()
    flavors = eligibility.inventory.servers.set_index("server_id")["flavor_id"]
    said: dict[str, list[str]] = {}
    for one in state.overrides:
        for chosen in (one.group_id, *one.server_ids):
            said.setdefault(chosen, []).append(f"{titles[one.field]}: {one.value or _('no value')}")
    ids = taken["server_id"].tolist()
    group_ids = [text_of(group_id) for group_id in taken["group_id"]]
    return pd.DataFrame(
        {
            "name": taken["name"].tolist(),
            "server_id": ids,
            "group": [groups.get(group_id, group_id) for group_id in group_ids],
            "flavor_id": flavors.reindex(ids).tolist(),
            "overrides": [
                "; ".join([*(said.get(group_id, []) if group_id else []), *said.get(server_id, [])])
                for group_id, server_id in zip(group_ids, ids, strict=True)
            ],
        }
    ).astype("string")
