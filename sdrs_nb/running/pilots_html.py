"""A run's pilot as HTML: where it stands, and the table of expected and found."""

import pandas as pd
from markupsafe import Markup

from sdrs_nb.i18n import _
from sdrs_nb.ledger.pilots import Pilot
from sdrs_nb.shown import html
from sdrs_nb.shown.words import aspect_word, word

__all__ = ["pilot_html", "pilot_rows", "pilot_sentences", "pilot_tone"]

_COLUMNS = ("result", "name", "aspect", "expected", "found", "assumption", "why", "subject")


def pilot_tone(pilot: Pilot) -> str:
    """Return the tone in which a pilot is shown: bad where something differs, good where all is as expected."""
    if not pilot.rows:
        return "running"
    return "bad" if pilot.differences else "good" if pilot.is_as_expected else "unknown"


def pilot_sentences(pilot: Pilot) -> list[str]:
    """Return where a pilot stands, and who let the others follow and why."""
    told = [pilot.sentence]
    if pilot.is_released:
        who = _("Released by {who} at {when} UTC.", who=pilot.who, when=pilot.released_at[:19].replace("T", " "))
        told += [who if pilot.who else _("Released by itself, since nothing differs.")]
    return told + ([_("Reason given: {reason}", reason=pilot.reason)] if pilot.reason else [])


def pilot_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return ``Run.pilot_table`` in the operator's words."""
    return table.assign(result=table["result"].map(word), aspect=table["aspect"].map(aspect_word))[list(_COLUMNS)]


def pilot_html(pilot: Pilot | None, table: pd.DataFrame, limit: int = 20) -> Markup:
    """Return a pilot: its sentences, and the first rows of ``Run.pilot_table``, differences first; empty for None."""
    if pilot is None:
        return Markup()
    said = html.status(" ".join(pilot_sentences(pilot)), pilot_tone(pilot))
    parts = [html.heading(_("Pilot")), said, *([html.table(pilot_rows(table), limit)] if pilot.rows else [])]
    return Markup().join(parts)
