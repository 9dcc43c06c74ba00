"""A Parquet file to a DataFrame, measured by its metadata first; needs the extra ``parquet``.

Equal values cost next to nothing in Parquet, so a file of a kilobyte may stand for gigabytes: rows, columns and sizes
are looked at before anything is read, texts are read as dictionaries and written out only when they are small enough.
"""

import io
from typing import Any

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import in_bytes, limits, raisable
from sdrs_nb.inventory.bounds import TooMuchError, require_rectangle, too_many_rows, too_wide

__all__ = ["NoParquetError", "frame_of"]

#: What pyarrow raises for a damaged file: its own errors, and Python's for what it makes of them.
_DAMAGED = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
            RecursionError, NotImplementedError, MemoryError)  # fmt: skip


class NoParquetError(ValueError):
    """The bytes are no Parquet file; the message is the library's, on one line."""


def frame_of(data: bytes, name: str) -> pd.DataFrame:
    """Return the frame in a Parquet file.

    Raises
    ------
    TooMuchError
        It would be more than ``intake.limits``.
    NoParquetError
        It cannot be read.
    """
    try:
        texts = _measured(data, name)
        file = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
        table = file.read()
        # Indices within their dictionary, texts in UTF-8: what is not checked here brings the process down later.
        table.validate(full=True)
        for at, column in enumerate(table.columns):
            if pa.types.is_dictionary(column.type):
                _require_texts(column, f"{name} {table.column_names[at]}")
                table = table.set_column(at, table.field(at).with_type(column.type.value_type), _written_out(column))
        frame: pd.DataFrame = table.to_pandas()
    except _DAMAGED as error:
        raise NoParquetError(" ".join(str(error).split())[:200] or type(error).__name__) from None
    return frame


def _measured(data: bytes, name: str) -> list[str]:
    """Return the columns of texts of a file that is within the bounds, by its metadata alone."""
    bounds = limits()
    meta = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [meta.row_group(at) for at in range(meta.num_row_groups)]
    rows = max(meta.num_rows, sum(group.num_rows for group in groups))
    if rows > bounds.rows:
        raise too_many_rows(name)
    if meta.num_columns > bounds.columns:
        raise too_wide(name, row=None)
    columns = [meta.schema.column(at) for at in range(meta.num_columns)]
    require_rectangle(name, rows, meta.num_columns, len(data) * bounds.parquet_cells_a_byte // bounds.cells_a_value)
    size = sum(group.total_byte_size for group in groups)
    if size > bounds.unpacked_bytes or size < 0:
        raise _too_large(name, size)
    for column in columns:
        if max(column.path.count("."), column.max_definition_level, column.max_repetition_level) > bounds.parquet_depth:
            told = _("The column {column} holds columns in columns; write its values as text.", column=column.path[:60])
            raise TooMuchError(name, told)
    # Lists of lists may repeat without a limit in one row: nothing of ours needs more than one value a cell.
    values = sum(group.column(at).num_values for group in groups for at in range(group.num_columns))
    require_rectangle(name, values, 1, len(data) * bounds.parquet_cells_a_byte // bounds.cells_a_value)
    return [
        column.path for column in columns if column.physical_type == "BYTE_ARRAY" and not column.max_repetition_level
    ]


def _too_large(where: str, size: int) -> TooMuchError:
    told = _(
        "Unpacked, this file has {size} where {limit} are read; split it or raise {setting}.",
        size=in_bytes(size),
        limit=in_bytes(limits().unpacked_bytes),
        setting=raisable("unpacked_bytes"),
    )
    return TooMuchError(where, told)


def _require_texts(column: Any, where: str) -> None:
    bounds = limits()
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        if (pc.max(lengths).as_py() or 0) > bounds.cell_characters * 4:
            told = _("There is a text of more than {limit} characters; shorten it or raise {setting}.",
                     limit=bounds.cell_characters, setting=raisable("cell_characters"))  # fmt: skip
            raise TooMuchError(where, told)
        total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    if total > bounds.unpacked_bytes:
        raise _too_large(where, total)


def _written_out(column: Any) -> Any:
    return pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], type=column.type.value_type)
