"""The inventory: everything that is known of a project's servers and of what protects them, as frames.

``load_inventory`` asks the cloud, ``read_inventory`` reads files and DataFrames; both give an ``Inventory``.  Its
frames are those of ``tables.INVENTORY_TABLES``; ``sources`` says of each whether it could be read, so that the rules
can tell "there is none" from "we could not look".
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, overload

import pandas as pd
from pydantic import AwareDatetime, Field

from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.i18n import _
from sdrs_nb.ids import ID_ENDINGS, respelt
from sdrs_nb.inventory import assuming, loading, reading, writing
from sdrs_nb.inventory.headings import likely
from sdrs_nb.inventory.notes import Heading, Note, Remarks, reading_frame
from sdrs_nb.inventory.sheets import ABOUT, DECLARED, Sheet, frame_from, unread_columns
from sdrs_nb.models import Declared, OnWait, Record
from sdrs_nb.rulebook import Site, site_of
from sdrs_nb.shown.texts import visible
from sdrs_nb.shown.titles import frame_title
from sdrs_nb.shown.words import word
from sdrs_nb.tables import DERIVED, INVENTORY_TABLES, SOURCES, STR, empty, shape

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["About", "Inventory", "load_inventory", "read_inventory", "write_template"]

#: Since pandas 3 a shallow copy is the caller's own (copy on write) and costs nothing.
_COPY_DEEP = int(pd.__version__.split(".")[0]) < 3  # noqa: PLR2004 - the major version that brought copy on write


class About(Record):
    """Whose inventory this is and where it came from.

    Parameters
    ----------
    project_id, region
        Project and region of the servers; None when a file does not say.
    cloud_host
        Host that tells which cloud it is (``otc.t-systems.com``); None when a file does not say.
    world
        Id of the sandbox's world that was read; None for a real cloud and for files that do not say.
    caller_user_id
        IAM user who read the cloud; None for files that do not say. Rules about key pairs need it.
    loaded_at
        When the reading began (UTC); for a file made by hand, when the file was read.
    origin
        Endpoint, file or ``"DataFrame"``, for the operator.
    batches
        Servers of each batch create on the tape that was played back; ``()`` for all else.  Pseudonyms sort otherwise
        than names, so a plan made of a tape takes its batches from here, or its requests would not be on the tape.
    """

    project_id: str | None = None
    region: str | None = None
    cloud_host: str | None = None
    world: str | None = None
    caller_user_id: str | None = None
    loaded_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    origin: str = ""
    batches: tuple[tuple[str, ...], ...] = Field(default=(), exclude=True, repr=False)

    @property
    def site(self) -> Site:
        """Which cloud the servers are of, and whose rules hold there."""
        return site_of([self.cloud_host], self.region)

    def seen_from(self, site: Site) -> Self:
        """Return the same; where it does not say its cloud (a file made by hand), that of ``site`` if it is known."""
        if self.cloud_host or site.is_assumed or not self.site.is_assumed:
            return self
        return self.model_copy(update={"cloud_host": site.host or None, "region": self.region or site.region or None})


class _Frame:
    """One frame as an attribute; what is handed out is the caller's own."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name
        self.__doc__ = f"One row per {INVENTORY_TABLES[name].about.removeprefix('a ').removeprefix('an ')}."

    @overload
    def __get__(self, inventory: None, owner: type) -> "_Frame": ...
    @overload
    def __get__(self, inventory: "Inventory", owner: type) -> pd.DataFrame: ...
    def __get__(self, inventory: "Inventory | None", owner: type) -> "_Frame | pd.DataFrame":
        return self if inventory is None else inventory.frame(self._name)


class Inventory:
    """The facts that eligibility, planning and verification work on.

    One attribute a frame: ``servers``, ``volumes``, ``attachments``, ``groups``, ``protected_instances``,
    ``replication_pairs``, ``quotas``, ``key_pairs``, ``scaling_instances``, ``vpcs``, ``subnets``, ``drill_servers``,
    ``enterprise_projects``, ``domains``, ``flavors``, ``resize_flavors``, ``dedicated_hosts``, ``storage_pools``,
    ``ecs_limits``, ``evs_quota``; columns and dtypes in ``tables.INVENTORY_TABLES``. Ids are text, missing is
    NA (an empty text never occurs), times are UTC, the index means nothing. A frame that could not be read is empty
    and ``sources`` says why. Each access hands out a frame that may be changed without changing this inventory.

    Parameters
    ----------
    frames
        Frames by name, already with the columns of their tables; they are brought to the tables' order and dtypes,
        extra columns are kept. ``read_inventory`` is the way in for frames that need checking.
    sources
        State of each frame (``tables.SOURCES``). Left out: what is in ``frames`` is ``loaded``, the rest ``missing``.
    about
        Whose inventory this is.
    unread
        Columns by frame that were not read; with them those that a given frame lacks, and those that ``sources``
        names.  A missing value in any other column is an answer, such as "no lock".
    declared
        Facts that somebody vouches for, see ``assume``.
    notes, headings
        What was guessed, filled in or passed over while a file was read, see ``reading``, and what each heading was
        taken for.

    Raises
    ------
    InventoryError
        A name in ``frames`` is no frame of an inventory.
    """

    servers = _Frame()
    volumes = _Frame()
    attachments = _Frame()
    groups = _Frame()
    protected_instances = _Frame()
    replication_pairs = _Frame()
    quotas = _Frame()
    key_pairs = _Frame()
    scaling_instances = _Frame()
    vpcs = _Frame()
    subnets = _Frame()
    drill_servers = _Frame()
    enterprise_projects = _Frame()
    domains = _Frame()
    flavors = _Frame()
    resize_flavors = _Frame()
    dedicated_hosts = _Frame()
    storage_pools = _Frame()
    ecs_limits = _Frame()
    evs_quota = _Frame()

    def __init__(
        self,
        frames: Mapping[str, pd.DataFrame],
        sources: pd.DataFrame | None = None,
        about: About | None = None,
        *,
        unread: Mapping[str, Collection[str]] | None = None,
        declared: Sequence[Declared] = (),
        notes: Sequence[Note] = (),
        headings: Sequence[Heading] = (),
    ) -> None:
        for name in (*frames, *(unread or ())):
            _known(name)
        self._frames = {
            name: _with_canonical_ids(shape(frames[name], table)) if name in frames else empty(table)
            for name, table in INVENTORY_TABLES.items()
        }
        self.about = about or About()
        self.declared = tuple(declared)
        self._notes, self.headings = tuple(notes), tuple(headings)
        if sources is None:
            states = {name: ("loaded" if name in frames else "missing", "") for name in INVENTORY_TABLES}
            sources = loading.sources_frame(states, dict.fromkeys(frames, self.about.loaded_at))
        # What sources given from elsewhere do not name (those of an older version, say) is missing, not forgotten.
        named = {*sources["frame"].dropna()}
        unnamed = {name: ("missing", "") for name in INVENTORY_TABLES if name not in named}
        if unnamed:
            sources = pd.concat([shape(sources, SOURCES), loading.sources_frame(unnamed, {})], ignore_index=True)
        self._sources = shape(sources, SOURCES)
        self._sources["rows"] = pd.array([len(self._frames[name]) for name in self._sources["frame"]], dtype="Int64")
        # Every rule asks whether its frames are loaded, so that is looked up once.
        self._loaded = frozenset(self._sources.loc[self._sources["state"] == "loaded", "frame"])
        self._unread = {
            name: self._unread_of(name, frames.get(name), (unread or {}).get(name, ())) for name in INVENTORY_TABLES
        }
        self._sources["unread"] = pd.array(
            [",".join(sorted(self._unread[name])) or None for name in self._sources["frame"]], dtype="string"
        )

    def _unread_of(self, name: str, frame: pd.DataFrame | None, told: Collection[str]) -> frozenset[str]:
        """Return the columns of a frame that nobody read; a frame without rows has nothing to read in its columns."""
        if frame is None or frame.empty:
            return frozenset()
        said = self._sources.loc[self._sources["frame"] == name, "unread"].dropna()
        named = {column.strip() for text in said for column in text.split(",")}
        lacking = INVENTORY_TABLES[name].columns.keys() - set(frame.columns) - DERIVED.get(name, frozenset())
        return frozenset((named | {*told}) & INVENTORY_TABLES[name].columns.keys() | lacking)

    @property
    def sources(self) -> pd.DataFrame:
        """One row per frame: ``frame, state, rows, loaded_at, message, unread``.

        ``state`` is ``loaded``, ``partial`` (the list is known to be incomplete; what is in it counts, what is not
        in it proves nothing), ``denied`` (no permission), ``failed``, ``missing`` (not in the file) or ``not asked``;
        ``message`` is a sentence, NA where there is nothing to say; ``unread`` names
        the columns of a frame that were not read, comma-joined.
        """
        return self._sources.copy(deep=_COPY_DEEP)

    @property
    def reading(self) -> pd.DataFrame:
        """One row per thing that was done while reading that the file does not say itself.

        ``file, sheet, row, column`` say where, ``what`` is one of ``read as`` (format, encoding, separator), ``mapped``
        (as the person said), ``guessed`` (a heading or a sheet by its name), ``kept`` (a heading that is no column of
        ours; ``to`` names the column it may be), ``changed`` (a word, to the service's or to nothing), ``filled``
        (merged cells), ``dropped`` (a row that repeats another), ``passed over``, ``not understood`` and ``not told``
        (columns that nobody read); ``from`` and ``to`` are texts.  Empty for what the cloud was asked.
        """
        return reading_frame(self._notes)

    def frame(self, name: str) -> pd.DataFrame:
        """Return the frame called ``name``, to be changed freely; InventoryError when there is no such frame."""
        return self._frames[_known(name)].copy(deep=_COPY_DEEP)

    def is_loaded(self, name: str) -> bool:
        """Tell whether the frame called ``name`` could be read whole; an empty frame that was read is loaded.

        InventoryError when there is no such frame. Rules whose frame is not loaded cannot be decided by what is not
        in it.
        """
        return _known(name) in self._loaded

    def unread(self, name: str) -> frozenset[str]:
        """Return the columns of the frame called ``name`` that were not read, so that a gap in them is no answer.

        InventoryError when there is no such frame.
        """
        return self._unread[_known(name)]

    def with_frame(self, name: str, frame: pd.DataFrame) -> "Inventory":
        """Return a copy of this inventory in which ``frame`` stands for the frame called ``name``.

        Every cell is checked and converted as ``read_inventory`` does; nothing is changed in place. The frame's
        state becomes ``loaded``, now. A column that ``frame`` lacks is unread, and so is one that is blank throughout,
        unless it had been read in the frame whose place this one takes.

        Raises
        ------
        InventoryError
            There is no such frame, or the given one has problems; ``problems`` lists all of them.
        """
        table = INVENTORY_TABLES[_known(name)]
        problems: list[Problem] = []
        checked = frame_from(Sheet.of_frame(frame, name), table, problems)
        if problems:
            raise InventoryError(_("The frame {frame} cannot be used.", frame=name), problems)
        sources = self._sources[self._sources["frame"] != name]
        fresh = loading.sources_frame({name: ("loaded", _("Given as a DataFrame."))}, {name: datetime.now(UTC)})
        order = {each: at for at, each in enumerate(INVENTORY_TABLES)}
        sources = pd.concat([sources, fresh]).sort_values("frame", key=lambda names: names.map(order))
        absent, blank = unread_columns(Sheet.of_frame(frame, name), checked, table)
        was_read = self.is_loaded(name) and not self._frames[name].empty
        unread = absent | (blank & self._unread[name] if was_read else blank)
        others = [each for each in self.declared if each.fact.partition(".")[0] != name]
        frames = {**self._frames, name: checked}
        return Inventory(
            frames,
            sources,
            self.about,
            unread={name: unread},
            declared=others,
            notes=self._notes,
            headings=self.headings,
        )

    def assume(self, facts: Mapping[str, object], who: str | None = None) -> "Inventory":
        """Return a copy of this inventory in which ``facts`` count although nobody read them.

        Parameters
        ----------
        facts
            ``{"drill_servers": "none"}``: there are none. ``{"servers.locked": False}``: the value of every gap in
            that column; ``"none"`` where a gap means "none", as in ``{"servers.lock_source": "none"}``.
        who
            Who vouches for it; the user of this machine when left out. Told in findings, plan, approval and report;
            every declared fact is read right before servers are protected.

        Raises
        ------
        InventoryError
            A fact names no frame or column, contradicts what was read, or its value does not fit.
        """
        loaded = [name for name in INVENTORY_TABLES if self.is_loaded(name)]
        changed, declared = assuming.declare(self._frames, loaded, self._unread, facts, who)
        if not declared:
            return self
        sources = self._sources.copy()
        for one in declared:
            frame, _dot, column = one.fact.partition(".")
            mine = sources["frame"] == frame
            if column:
                said = {each.fact for each in declared}
                unread = [each for each in self._unread[frame] if f"{frame}.{each}" not in said]
                sources.loc[mine, "unread"] = ",".join(sorted(unread)) or pd.NA
            else:
                sources.loc[mine, ["state", "message"]] = ["loaded", one.sentence]
        frames, told = {**self._frames, **changed}, [*self.declared, *declared]
        return Inventory(frames, sources, self.about, declared=told, notes=self._notes, headings=self.headings)

    def to_excel(self, path: "str | os.PathLike[str]") -> Path:
        """Write a workbook with a sheet per frame that was read, whole or in part, and ``sources`` and ``about``.

        ``read_inventory(path)`` gives the same inventory back. Every text is written as text, so Excel runs nothing
        that looks like a formula; times are written as text in UTC. Frames that were not read get no sheet (their
        state is in ``sources``). Returns the path. Replaces an existing file. Touches the disk only.

        Raises
        ------
        SettingsError
            The extra ``excel`` is not installed.
        InventoryError
            A frame has more rows, or a text is longer, than a sheet can hold.
        OSError
            The file cannot be written.
        """
        return writing.to_excel(self._contents(), Path(path))

    def to_folder(self, path: "str | os.PathLike[str]") -> Path:
        """Write a folder with a CSV file per frame that was read, whole or in part, ``sources.csv`` and ``about.csv``.

        ``read_inventory(path)`` gives the same inventory back. Files are UTF-8 with a mark that Excel knows; a text
        that Excel would run as a formula starts with an apostrophe in the file, which reading takes away again.
        Makes the folder and returns its path; replaces files of these names and removes those of frames that were
        not read.

        Raises
        ------
        OSError
            The folder or a file cannot be written.
        """
        return writing.to_folder(self._contents(), Path(path))

    def _contents(self) -> dict[str, pd.DataFrame]:
        """Return what a file of this inventory holds, by the name of the sheet."""
        frames = {name: self.frame(name) for name in INVENTORY_TABLES}
        frames = {name: frame for name, frame in frames.items() if len(frame) or self.is_loaded(name)}
        about = shape(pd.DataFrame([self.about.model_dump()]), ABOUT)
        declared = {"declared": shape(pd.DataFrame([each.model_dump() for each in self.declared]), DECLARED)}
        return {**frames, "sources": self.sources, "about": about, **(declared if self.declared else {})}

    def _repr_html_(self) -> str:
        from sdrs_nb.shown import html

        counts = [(frame_title(name), len(self.frame(name))) for name in INVENTORY_TABLES if self.is_loaded(name)]
        sources = self.sources
        unread = sources[~sources["state"].isin(["loaded", "not asked"])]
        notes = [
            f"{frame_title(name)}: {word(state)}" + (f", {message}" if isinstance(message, str) else "")
            for name, state, message in unread[["frame", "state", "message"]].to_numpy().tolist()
        ]
        return html.summary(_("Inventory"), counts, notes=notes)

    def __repr__(self) -> str:
        loaded = ", ".join(f"{name} {len(self._frames[name])}" for name in INVENTORY_TABLES if self.is_loaded(name))
        lines = [_("Inventory({loaded})", loaded=loaded or _("nothing loaded"))]
        others = self._sources[~self._sources["state"].isin(["loaded", "not asked"])]
        lines += [
            f"  {name}: {word(state)}" + (f", {visible(message)}" if isinstance(message, str) else "")
            for name, state, message in zip(others["frame"], others["state"], others["message"], strict=True)
        ]
        return "\n".join(lines)


def _with_canonical_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose ids have one spelling; one that has them already, as nearly all do, is not copied."""
    if frame.empty:
        return frame
    named = zip(frame.columns, frame.dtypes, strict=True)
    names = [each for each, dtype in named if isinstance(each, str) and each.endswith(ID_ENDINGS) and str(dtype) == STR]
    odd = {name: forms for name in names if (forms := respelt(frame[name].dropna().tolist(), name))}
    return frame.assign(
        **{
            name: pd.Series(
                [forms.get(text, text) or None if isinstance(text, str) else None for text in frame[name]],
                index=frame.index,
                dtype=STR,
            )
            for name, forms in odd.items()
        }
    )


def _known(name: str) -> str:
    if name in INVENTORY_TABLES:
        return name
    guess = likely(name, INVENTORY_TABLES)
    if guess:
        raise InventoryError(
            _("There is no frame {frame} in an inventory; it looks like {likely}.", frame=name, likely=guess)
        )
    names = ", ".join(INVENTORY_TABLES)
    raise InventoryError(_("There is no frame {frame} in an inventory; there are {frames}.", frame=name, frames=names))


async def load_inventory(
    cloud: "Cloud",
    *,
    on_progress: Callable[[str, int, int | None], None] | None = None,
    on_wait: OnWait | None = None,
    frames: "tuple[str, ...] | list[str] | None" = None,
    resize_for: "tuple[str, ...] | list[str]" = (),
    assume: Mapping[str, object] | None = None,
) -> Inventory:
    """Return the inventory of the cloud's project and region, read now; nothing is changed there.

    One cheap call proves the credentials first, then every source is read at the same time. Without permission
    for a source (403) its frame is empty with state ``denied``; a source that rules can do without (all but servers,
    volumes, groups and protected instances) may also fail, with state ``failed``. A list that repeats, shifts or is
    shorter than announced, also when read again, gives what was received with state ``partial``. Network, no disk.

    Parameters
    ----------
    cloud
        What ``connect`` gave.
    on_progress
        Called as ``on_progress(frame, rows_done, rows_total)`` while pages arrive and when a frame is done;
        ``rows_total`` is None while it is not known. Called on the loop that awaits, so it must be quick.
    on_wait
        Called likewise as ``on_wait(wait)`` when calls begin to wait for the gateway's limit, and with None when they
        leave again; ``str(wait)`` says until when.
    frames
        Names of the frames to read; all when left out. The others are empty with state ``not asked``.
        ``attachments`` asks servers and volumes; ``resize_flavors`` needs ``resize_for``.
    resize_for
        Servers whose DR server shall have another flavor: ``resize_flavors`` is read for each (one call a server);
        without them that frame is ``not asked``.
    assume
        Facts to take for true where they could not be read, see ``Inventory.assume``.

    Raises
    ------
    AuthenticationError
        The credentials were not accepted.
    PermissionDeniedError
        The servers may not be read.
    CloudUnreachable, CloudError
        Servers, volumes, groups or protected instances could not be read.
    InventoryError
        A name in ``frames`` is no frame of an inventory.
    """
    asked = [_known(name) for name in frames] if frames is not None else list(INVENTORY_TABLES)
    started = datetime.now(UTC)
    with cloud.telling(on_wait):
        identity = await cloud.check()
        loaded, sources, unread = await loading.load(cloud, asked, on_progress, resize_for)
    about = About(
        project_id=identity.project_id,
        region=identity.region or None,
        cloud_host=cloud.settings.site.host or None,
        world=identity.world or None,
        caller_user_id=identity.user_id or None,
        loaded_at=started,
        origin=str(identity.endpoint or ""),
        batches=cloud.recorded_batches,
    )
    return Inventory(loaded, sources, about, unread=unread).assume(assume or {})


def read_inventory(
    source: "str | os.PathLike[str] | bytes | IO[bytes] | pd.DataFrame | Mapping[str, object] | Sequence[object]",
    *,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
    assume: Mapping[str, object] | None = None,
    encoding: str | None = None,
) -> Inventory:
    """Return the inventory in whatever a person has, every cell checked; ``Inventory.reading`` says what was guessed.

    Parameters
    ----------
    source
        A file or a folder of files, each known by its content and not by its ending: workbooks (.xlsx, .ods, .xls),
        text in columns (CSV, tabs, bars, tables drawn by command-line tools), JSON and JSON lines, answers of the cloud
        as ``hcloud`` or a browser saved them, lists of the OpenStack client, Terraform's state, Parquet, a table of an
        HTML page.  Or a DataFrame or a list of dicts of servers, a mapping of frame names to either, or the bytes of a
        file, or an open binary file, with ``name``.
    name
        The file's name, for bytes; it is told in messages.
    columns
        Which heading is which column: ``{"Host": "name"}``; an empty text leaves a heading out: ``{"Owner": ""}``.
    words
        Words of a column for the service's: ``{"status": {"起動中": "ACTIVE"}}``.
    assume
        Facts to take for true where the source does not tell them, see ``Inventory.assume``.
    encoding
        Encoding of texts, such as ``"cp1252"``, where it cannot be told.

    Notes
    -----
    A heading is a column's name in any letter case (spaces and hyphens count as underscores) or one of the aliases of
    ``headings``: words of consoles and people in Chinese and English. Title rows above the heading, rows that sum up
    and rows that repeat another are passed over, merged cells are filled down, words for "nothing" are NA where no such
    value can be meant, words of the consoles become the service's (运行中, Running: ACTIVE); a status that is no known
    word counts as not read. Texts are trimmed and an empty cell is NA. Booleans may be written true/false, yes/no,
    1/0, 是/否; times in ISO form, UTC when no zone is given. Text is UTF-8, UTF-16, or what its words look like
    (Chinese, Japanese, Western European, ...); where that cannot be told, it is asked for. Unknown columns are kept at
    the end. Frames that are absent are empty with state ``missing``; an empty list, an empty frame
    and a sheet with headings and no row say that there is none, unless ``sources`` says otherwise. A column that is
    absent, or blank from top to bottom, is unread (``sources``, column ``unread``); in files that this tool wrote,
    ``sources`` says which columns were read, so that their blanks mean "none". A frame that ``sources`` call
    ``partial``, ``denied`` or ``failed`` stays so, whatever rows are there. Row numbers in problems are those a
    spreadsheet shows: the header is row 1; a DataFrame's first row is row 2. Disk, no network.

    Raises
    ------
    InventoryError
        The file cannot be read or anything in it is wrong; ``problems`` lists everything at once, by sheet or file,
        row and column; ``headings`` says what each heading was taken for.
    SettingsError
        The file needs an extra that is not installed (``sdrs-nb[parquet]``).
    """
    remarks = Remarks(columns=dict(columns or {}), words=dict(words or {}), encoding=encoding)
    try:
        found = reading.read(source, name, remarks)
    except InventoryError as error:
        error.headings = tuple(remarks.headings.values())
        raise
    about = About(**{"origin": found.origin, **found.about})
    states = {**dict.fromkeys(INVENTORY_TABLES, ("missing", "")), **found.states}
    times = {frame: found.times.get(frame, about.loaded_at) for frame in found.frames}
    sources = loading.sources_frame(states, {**found.times, **times})
    read = Inventory(
        found.frames,
        sources,
        about,
        unread=found.unread,
        declared=found.declared,
        notes=found.notes,
        headings=tuple(remarks.headings.values()),
    )
    return read.assume(assume or {})


def write_template(path: "str | os.PathLike[str]") -> Path:
    """Write an empty inventory to fill in, and return its path.

    A path ending in .xlsx gives a workbook with a sheet per frame (headings only, columns set to text) and a sheet
    ``readme`` that says what each column means; any other path a folder of CSV files with ``readme.csv``. A
    frame left empty counts as not known, until ``sources`` says ``loaded`` beside it: there are none. Disk only.

    Raises
    ------
    SettingsError
        The extra ``excel`` is not installed.
    OSError
        The file or folder cannot be written.
    """
    return writing.template(Path(path))
