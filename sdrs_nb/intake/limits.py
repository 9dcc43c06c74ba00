"""How much a file may hold, each bound in one place with its reason.

Bounds are generous for 200,000 servers with six volumes each and far below what brings a notebook's process down.  A
bound is changed as settings are, by the environment: ``SDRS_NB_LIMIT_ROWS=3000000``.
"""

import os

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

__all__ = ["IntakeError", "Limits", "UnreadableError", "in_bytes", "limits", "raisable"]

_KIB, _MIB, _GIB = 2**10, 2**20, 2**30
_PREFIX = "SDRS_NB_LIMIT_"


class IntakeError(ValueError):
    """What was given is refused; the message is a sentence for the operator, to which the caller adds the place."""


class UnreadableError(IntakeError):
    """A file is none that is read at all; the message names it."""


class Limits(BaseModel):
    """Bounds of everything that is read from a file, bytes or a frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # An inventory or a plan: 1,200,000 volumes are about 300 MB of JSON, the largest single frame there is.
    file_bytes: int = Field(default=512 * _MIB, gt=0)
    # clouds.yaml, credentials, approvals, filters: kilobytes.  PyYAML takes about 10 s a megabyte.
    settings_bytes: int = Field(default=256 * _KIB, gt=0)
    # An inventory's folder has some twenty files of ours; other files are passed over, but must be looked at.
    folder_entries: int = Field(default=10_000, gt=0)

    # 1,200,000 volumes and as many attachments; a workbook's sheet has at most 1,048,576 by its format.
    rows: int = Field(default=2_000_000, gt=0)
    # Our widest table has forty; every unknown heading is compared with all of ours.
    columns: int = Field(default=1_000, gt=0)
    # 200,000 servers in 40 columns, 1,200,000 volumes in 18 and attachments in 5, three times over.
    cells: int = Field(default=100_000_000, gt=0)
    # Cells that need not hold anything: a frame is a full rectangle in memory, however little stands in it.
    blank_cells: int = Field(default=2_000_000, gt=0)
    # ... and beyond them one in so many must hold something: 200,000 servers with five facts of forty.
    cells_a_value: int = Field(default=8, gt=0)
    # The most that Python's CSV reader takes; a cell of a spreadsheet holds 32,767.
    cell_characters: int = Field(default=131_072, gt=0)

    # Parts of a workbook: some thirty and one a sheet.
    workbook_parts: int = Field(default=2_000, gt=0)
    workbook_sheets: int = Field(default=200, gt=0)
    # Unpacked, all parts together: 20,000,000 cells are about a gigabyte of XML.
    unpacked_bytes: int = Field(default=2 * _GIB, gt=0)
    # Spreadsheets pack sheets about 15 times smaller; only what was made to be large gets to hundreds.
    unpacked_a_packed_byte: int = Field(default=100, gt=0)
    # ... which small files of blank rows may exceed as long as they stay small.
    unpacked_free_bytes: int = Field(default=32 * _MIB, gt=0)
    # Between two tags of a sheet stands at most the text of a cell, which is 32,767 characters of six bytes.
    gap_bytes: int = Field(default=_MIB, gt=0)
    merged_areas: int = Field(default=100_000, gt=0)
    # Texts that many cells share are in memory once a cell: so much of them is free, ...
    shared_text_bytes: int = Field(default=64 * _MIB, gt=0)
    # ... and beyond it so many bytes for a byte of the workbook unpacked (a reference to a text is 30 bytes).
    text_an_unpacked_byte: int = Field(default=8, gt=0)

    # 200,000 servers as the cloud's lists show them, 50 objects and lists each, twice over.
    json_containers: int = Field(default=20_000_000, gt=0)
    # Documents of the cloud nest six deep; json and its like give up at several hundred.
    json_depth: int = Field(default=64, gt=0, le=200)
    # Answers of one command saved one after the other: a page each.
    json_texts: int = Field(default=10_000, gt=0)
    # clouds.yaml with hundreds of clouds, aliases and merges written out.
    yaml_nodes: int = Field(default=20_000, gt=0)
    # Columns of columns: tags are a list of objects.
    parquet_depth: int = Field(default=16, gt=0)
    # Equal values cost next to nothing in Parquet: so many cells for a byte of the file, beyond the blank ones.
    parquet_cells_a_byte: int = Field(default=50, gt=0)


def limits() -> Limits:
    """Return the bounds in force.

    Raises
    ------
    SettingsError
        A variable ``SDRS_NB_LIMIT_...`` holds no whole number above 0.
    """
    changed = {name: text for name in Limits.model_fields if (text := os.environ.get(_PREFIX + name.upper()))}
    try:
        return Limits.model_validate(changed)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise SettingsError(
            _(
                "{setting} is {value}; give a whole number above 0, or take it away for {limit}.",
                setting=_PREFIX + name.upper(),
                value=repr(changed[name][:40]),
                limit=Limits.model_fields[name].default,
            )
        ) from None


def raisable(name: str) -> str:
    """Return the setting that raises the bound called ``name``."""
    if name not in Limits.model_fields:
        raise KeyError(name)
    return _PREFIX + name.upper()


def in_bytes(count: int) -> str:
    """Return a size as people read it: ``512 MiB``."""
    for unit, name in ((_GIB, "GiB"), (_MIB, "MiB"), (_KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.4g} {name}"
    return f"{count} B"
