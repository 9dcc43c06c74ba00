"""Everything that was found about one server: cards of reasons, its cluster as a picture, and what one click can do."""

from collections.abc import Callable, Collection

import ipywidgets

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import clipped, text_of
from sdrs_nb.shown.tones import VERDICT_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.widgets.panel import button, row
from sdrs_nb.widgets.pictures import Card, cards, cluster_picture, order_of_severity

__all__ = ["ServerDetail"]

_TONES = {"blocker": "bad", "unverified": "unknown", "warning": "warning", "notice": "neutral"}


class ServerDetail(ipywidgets.VBox):
    """Reasons of one server with evidence, remedy and source; hidden until ``show`` is called.

    Parameters
    ----------
    changed
        Called as ``changed(added, left_out)`` with ids of servers to judge too, or to leave out.
    """

    def __init__(self, changed: Callable[[Collection[str], Collection[str]], None]) -> None:
        self._changed = changed
        self._partners: tuple[str, ...] = ()
        self._cluster: tuple[str, ...] = ()
        self.title = ipywidgets.HTML()
        self.findings = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self._add = button(_("Add the missing partners"), self._on_add_click)
        self._leave = button("", self._on_leave_click)
        super().__init__([self.title, row(self._add, self._leave), self.picture, self.findings])
        self.hide()

    def hide(self) -> None:
        """Show nothing."""
        self.layout.display = "none"

    def show(self, eligibility: Eligibility, server_id: str) -> None:
        """Show what was found about a server that was asked for; takes a moment on a large estate."""
        found = eligibility.explain(server_id)
        asked = set(eligibility.asked)
        known = set(eligibility.inventory.servers["server_id"])
        self._cluster = (server_id, *found.companions)
        self._partners = tuple(one for one in found.companions if one not in asked and one in known)
        heads = html.status(word(found.verdict), VERDICT_TONES[found.verdict])
        name = clipped(found.name or server_id)
        self.title.value = html.fragment(html.heading(_("{name}: every reason", name=name)), heads,
                                         html.paragraph(server_id))  # fmt: skip
        self._add.layout.display = "" if self._partners else "none"
        self._leave.description = _("Leave this cluster out") if found.companions else _("Leave this server out")
        self._leave.tooltip = ngettext_(
            "Judge and plan without this server", "Judge and plan without these {count} servers", len(self._cluster)
        )
        self.picture.value = _cluster(eligibility, server_id) if found.companions else ""
        rows = order_of_severity(found.findings)
        self.findings.value = (
            cards(_card(row) for row in rows.to_dict("records"))
            if len(rows)
            else html.message(_("No rule has anything to say about this server."), "good")
        )
        self.layout.display = ""

    def _on_add_click(self) -> None:
        self._changed(self._partners, ())

    def _on_leave_click(self) -> None:
        self._changed((), self._cluster)


def _card(finding: dict[object, object]) -> Card:
    severity = str(finding["severity"])
    told = {name: text_of(finding[name]) for name in ("message", "evidence", "remedy", "source", "sdrs_code", "rule")}
    return Card(
        _TONES[severity],
        word(severity),
        told["message"],
        " · ".join(text for text in (told["rule"], told["sdrs_code"]) if text),
        [(_("Remedy"), told["remedy"]), (_("Evidence"), clipped(told["evidence"], 400)), (_("Source"), told["source"])],
        is_text=True,
    )


def _cluster(eligibility: Eligibility, server_id: str) -> str:
    rows = eligibility.clusters
    own = rows.loc[rows["server_id"] == server_id, "cluster_id"]
    return cluster_picture(eligibility, str(own.iloc[0])) if len(own) else ""
