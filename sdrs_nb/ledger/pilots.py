"""The pilot of a run: which batch goes alone, what comparing it came to, and the word that lets the others follow.

It is one document in the run's row.  While it is not released, nobody sends another batch of the run.
"""

import sqlite3
from enum import StrEnum
from typing import Any

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.ledger.reading import Reader
from sdrs_nb.models import Record

__all__ = ["Pilot", "PilotResult", "PilotRow", "PilotState", "PilotStore"]


class PilotState(StrEnum):
    """Where a pilot stands."""

    WAITING = "waiting"  # its batch is still to be sent, followed or compared
    COMPARED = "compared"  # the operator has the word
    RELEASED = "released"  # the other batches may be sent


class PilotResult(StrEnum):
    """What comparing one aspect of a pilot batch came to."""

    AS_EXPECTED = "as expected"
    DIFFERENT = "different"
    NOT_COMPARED = "not compared"


class PilotRow(Record):
    """One aspect of one thing that a pilot batch made: what was expected and what was found.

    ``subject`` is an id, ``name`` how people call it; ``why`` says why it was not compared; ``assumption`` is the id
    of the assumption that the expectation rests on, empty where a page documents it.
    """

    subject: str
    name: str = ""
    aspect: str
    expected: str
    found: str = ""
    result: PilotResult
    why: str = ""
    assumption: str = ""


class Pilot(Record):
    """The pilot batch of a run and what became of it; ``auto``: where nothing differs, no word is needed."""

    batch_id: str
    auto: bool = False
    state: PilotState = PilotState.WAITING
    rows: tuple[PilotRow, ...] = ()
    compared_at: str = ""
    who: str = ""
    reason: str = ""
    released_at: str = ""

    @property
    def differences(self) -> tuple[PilotRow, ...]:
        """What was found otherwise than it was expected."""
        return tuple(row for row in self.rows if row.result == PilotResult.DIFFERENT)

    @property
    def is_as_expected(self) -> bool:
        """Whether something was compared and nothing differs."""
        return not self.differences and any(row.result == PilotResult.AS_EXPECTED for row in self.rows)

    @property
    def is_released(self) -> bool:
        """Whether the other batches may be sent."""
        return self.state == PilotState.RELEASED

    @property
    def holds_back(self) -> bool:
        """Whether it was compared and the run waits for the operator's word."""
        return bool(self.rows) and not self.is_released

    def require_word(self, reason: str) -> None:
        """Raise ``SettingsError`` where the run may not go on by a word given for this reason."""
        if not self.rows:
            raise SettingsError(
                _("Pilot batch {batch} has not been compared yet, so there is nothing to say yes to. Resume the run; "
                  "it waits again when the pilot has ended.", batch=self.batch_id)
            )  # fmt: skip
        if not reason and not self.is_as_expected:
            raise SettingsError(f"{self.sentence} " + _("Say why the run may go on all the same (reason, --reason)."))

    @property
    def sentence(self) -> str:
        """Where the pilot stands, in a sentence; the table says the rest."""
        count = len(self.differences)
        if not self.rows:
            return _("Pilot batch {batch} goes alone; nothing else is sent before it was compared.",
                     batch=self.batch_id)  # fmt: skip
        if count:
            return ngettext_(
                "Pilot batch {batch} differs from what was expected in {count} point.",
                "Pilot batch {batch} differs from what was expected in {count} points.",
                count,
                batch=self.batch_id,
            )
        if not self.is_as_expected:
            return _("Nothing of pilot batch {batch} could be compared.", batch=self.batch_id)
        open_points = sum(row.result == PilotResult.NOT_COMPARED for row in self.rows)
        rest = ngettext_("{count} point was not compared.", "{count} points were not compared.", open_points)
        told = _("Pilot batch {batch} is as expected.", batch=self.batch_id)
        return f"{told} {rest}" if open_points else told


class PilotStore(Reader):
    """What the ledger writes and reads of pilots."""

    def pilot(self, run_id: str) -> Pilot | None:
        """Return the pilot of a run; None where it has none.  Raises ``LedgerError`` where it cannot be read."""
        return self._pilot_in(self.rows("SELECT pilot FROM runs WHERE run_id = ?", run_id)[0]["pilot"])

    def compare_pilot(self, run_id: str, rows: tuple[PilotRow, ...], *, is_final: bool = True) -> Pilot:
        """Record what comparing the pilot came to, and release it where it needs nobody's word; returns it.

        ``is_final``: its batch has ended; else it is compared again.  A pilot that was released stays as it is.
        """
        with self._write("pilot") as db:
            before = self._held(db, run_id)
            if before.is_released:
                return before
            compared = before.model_copy(update={"rows": rows, "compared_at": self._now()})
            if is_final:
                goes_on = compared.auto and compared.is_as_expected
                state = PilotState.RELEASED if goes_on else PilotState.COMPARED
                at = self._now() if goes_on else ""
                compared = compared.model_copy(update={"state": state, "released_at": at})
            self._keep_pilot(db, run_id, compared, differences=len(compared.differences), points=len(rows))
        return compared

    def release_pilot(self, run_id: str, who: str, reason: str = "") -> Pilot:
        """Record the operator's word that the run may go on after its pilot; returns the pilot.

        Raises
        ------
        SettingsError
            The pilot was not compared yet, or differs and no reason is given; nothing is recorded.
        """
        with self._write("pilot") as db:
            before = self._held(db, run_id)
            if before.is_released:
                return before
            before.require_word(reason)
            said = {"state": PilotState.RELEASED, "who": who, "reason": reason, "released_at": self._now()}
            released = before.model_copy(update=said)
            self._keep_pilot(db, run_id, released, who=who, reason=reason)
        return released

    def _pilot_in(self, text: str) -> Pilot | None:
        with self.readable():
            return Pilot.model_validate_json(text) if text else None

    def _held(self, db: sqlite3.Connection, run_id: str) -> Pilot:
        pilot = self._pilot_in(db.execute("SELECT pilot FROM runs WHERE run_id = ?", (run_id,)).fetchone()[0])
        if pilot is None:
            raise SettingsError(_("Run {run} has no pilot.", run=run_id))
        return pilot

    def _keep_pilot(self, db: sqlite3.Connection, run_id: str, pilot: Pilot, **data: Any) -> None:
        db.execute("UPDATE runs SET pilot = ? WHERE run_id = ?", (pilot.model_dump_json(), run_id))
        self._event(db, run_id, f"pilot {pilot.state}", pilot.batch_id, **data)
