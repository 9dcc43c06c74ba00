"""What an estate says, cell by cell, and claims about it that hold, do not hold, or cannot be decided.

Every cell is one of three things: a value, nothing (``None``: it was read and is empty), or ``UNREAD``.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from sdrs_nb.models import BatchOptions

Row = Mapping[str, Any]
#: True, False, or None where the facts at hand decide neither.
Claim = bool | None
#: A rule, what it does when it fires ("B" blocks, "W" warns), and whether it fires.
Said = tuple[str, str, Claim]


class Unread:
    """The value of a cell that nobody read."""

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Final = Unread()


def any_of(*claims: Claim) -> Claim:
    """Return whether one claim holds; undecided when none does and one is undecided."""
    if any(claim is True for claim in claims):
        return True
    return None if any(claim is None for claim in claims) else False


def all_of(*claims: Claim) -> Claim:
    """Return whether every claim holds; undecided when none fails and one is undecided."""
    if any(claim is False for claim in claims):
        return False
    return None if any(claim is None for claim in claims) else True


def negated(claim: Claim) -> Claim:
    """Return the opposite; what is undecided stays so."""
    return None if claim is None else not claim


def lacks(wanted: Any, names: Collection[Any], *, whole: bool) -> Claim:
    """Tell whether a list lacks a name; only a whole list can."""
    return False if wanted in names else (True if whole else None)


def known(value: Any) -> bool:
    """Tell whether a cell holds a value."""
    return value is not None and value is not UNREAD


def always(value: Any, test: Callable[[Any], bool]) -> Claim:
    """Judge what every object of the cloud has: an empty cell is a gap, not an answer."""
    return test(value) if known(value) else None


def maybe(value: Any, test: Callable[[Any], bool]) -> Claim:
    """Judge what an object may go without: an empty cell that was read says it has none."""
    if value is UNREAD:
        return None
    return False if value is None or value == "" else test(value)


def differ(one: Any, other: Any) -> Claim:
    """Compare two facts that every object has."""
    return one != other if known(one) and known(other) else None


def outside(place: Any, of_group: Any) -> Claim:
    """Compare a place with a group's; a group that was read and has none (G4) has nothing in it."""
    return True if of_group is None and known(place) else differ(place, of_group)


def listed(cell: Any) -> list[str]:
    """Return the parts of a comma-joined cell."""
    return [part.strip() for part in str(cell).split(",") if part.strip()] if known(cell) else []


class Estate:
    """Frames as lists of rows, with what was not read of them."""

    def __init__(
        self,
        frames: Mapping[str, list[dict[str, Any]]],
        unread: Mapping[str, Collection[str]],
        loaded: Collection[str],
        partial: Collection[str] = (),
    ) -> None:
        self._frames, self._unread, self._loaded = frames, unread, frozenset(loaded)
        self._told = self._loaded | frozenset(partial)

    def is_loaded(self, frame: str) -> bool:
        """Tell whether the frame was read whole; its columns may still be unread."""
        return frame in self._loaded

    def is_partial(self, frame: str) -> bool:
        """Tell whether only a part of the frame was read."""
        return frame in self._told - self._loaded

    def rows(self, frame: str) -> list[dict[str, Any]]:
        """Return the rows of a frame; none when it was not read; those of a part of it count."""
        return self._frames.get(frame, []) if frame in self._told else []

    def is_read(self, frame: str, *columns: str) -> bool:
        """Tell whether the frame and these columns of it were read."""
        return self.is_loaded(frame) and not set(columns) & set(self._unread.get(frame, ()))

    def cell(self, frame: str, row: Row | None, column: str) -> Any:
        """Return a value, None for an empty cell, or UNREAD."""
        is_read = row is not None and frame in self._told and column not in self._unread.get(frame, ())
        return row.get(column) if row is not None and is_read else UNREAD

    @cached_property
    def servers(self) -> dict[str, Row]:
        """Servers by id."""
        return {row["server_id"]: row for row in self.rows("servers")}

    @cached_property
    def volumes(self) -> dict[str, Row]:
        """Volumes by id."""
        return {row["volume_id"]: row for row in self.rows("volumes")}

    @cached_property
    def flavors(self) -> dict[str, Row]:
        """Flavors by id."""
        return {row["flavor_id"]: row for row in self.rows("flavors")}

    @cached_property
    def attached(self) -> dict[str, list[Row]]:
        """Attachments by server; one that ECS alone or EVS alone reports counts."""
        found: dict[str, list[Row]] = {}
        for row in self.rows("attachments"):
            found.setdefault(row["server_id"], []).append(row)
        return found

    @cached_property
    def owners(self) -> dict[str, set[str]]:
        """Servers by volume."""
        found: dict[str, set[str]] = {}
        for row in self.rows("attachments"):
            found.setdefault(row["volume_id"], set()).add(row["server_id"])
        return found

    def component(self, server_id: str) -> frozenset[str]:
        """Return the server and all that shared volumes tie to it, directly or through others."""
        seen, waiting = {server_id}, deque([server_id])
        while waiting:
            for attachment in self.attached.get(waiting.popleft(), []):
                for owner in self.owners[attachment["volume_id"]] - seen:
                    seen.add(owner)
                    waiting.append(owner)
        return frozenset(seen)

    def named(self, frame: str, column: str, wanted: str) -> Claim:
        """Tell whether a row of a frame names an id, alone or among others; where there is no row, none does."""
        cells = (self.cell(frame, row, column) for row in self.rows(frame))
        return some((maybe(cell, lambda text: wanted in listed(text)) for cell in cells), read=self.is_loaded(frame))

    def paired(self, volume_id: str) -> Claim:
        """Tell whether a volume is in a replication pair already, as either side of it."""
        return self.named("replication_pairs", "volume_ids", volume_id)

    def shared(self, volume_id: str) -> Claim:
        """Tell whether a volume is shared: it may be attached to several servers, or it is."""
        if len(self.owners.get(volume_id, ())) > 1:
            return True
        return always(self.cell("volumes", self.volumes.get(volume_id), "multiattach"), bool)


@dataclass(frozen=True)
class Question:
    """Everything beside the estate that a verdict depends on."""

    options: BatchOptions
    profile: str
    batch_limit: int
    group_id: str | None = None
    selected: frozenset[str] | None = None
    caller_user_id: str | None = None

    def asks_for(self, server_id: str) -> bool:
        """Tell whether the server is among those that were asked about."""
        return self.selected is None or server_id in self.selected

    def severity(self, **by_profile: str) -> str:
        """Return B or W as the profile has it; W where it is not named."""
        return by_profile.get(self.profile.replace("-", "_"), "W")


@dataclass(frozen=True)
class Case:
    """One server as one protection group would take it; ``group`` is None where no group fits or none is known."""

    estate: Estate
    question: Question
    server_id: str
    group: Row | None = field(compare=False)

    def server(self, column: str) -> Any:
        """Return a cell of the server."""
        return self.estate.cell("servers", self.estate.servers.get(self.server_id), column)

    def of_group(self, column: str) -> Any:
        """Return a cell of the group."""
        return self.estate.cell("groups", self.group, column)

    @property
    def production_az(self) -> Any:
        """Return the AZ in which the group produces now."""
        return self._az(source_first=True)

    @property
    def dr_az(self) -> Any:
        """Return the other AZ."""
        return self._az(source_first=False)

    def _az(self, *, source_first: bool) -> Any:
        station = self.of_group("priority_station")
        if not known(station):
            return UNREAD
        return self.of_group("source_az" if (station == "source") is source_first else "target_az")

    @property
    def attachments(self) -> list[Row]:
        """Return the server's attachments."""
        return self.estate.attached.get(self.server_id, [])

    def disks(self) -> Iterator[tuple[Row, Callable[[str], Any]]]:
        """Yield each attachment with a reader of its volume's cells; all UNREAD for a volume not in the list."""
        for attachment in self.attachments:
            volume = self.estate.volumes.get(attachment["volume_id"])
            yield attachment, partial(self.estate.cell, "volumes", volume)

    @property
    def dr_flavor_id(self) -> Any:
        """Return the flavor of the DR server: what was chosen, else production's."""
        chosen = (self.question.options.flavors or {}).get(self.server_id)
        return chosen or self.server("flavor_id")


def some(claims: Iterable[Claim], *, read: bool = True) -> Claim:
    """Return whether one of many claims holds; undecided when the list that they are about was not read."""
    return any_of(*claims, *([] if read else [None]))
