"""What a plan's document must hold, field by field: whatever else JSON can say is refused where it enters."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, TypeAdapter

from sdrs_nb.inventory.notes import Done
from sdrs_nb.models import Batch, BatchOptions, Declared, Record
from sdrs_nb.planning.facts import FACTS
from sdrs_nb.tables import BOOL, INT, LEFT_OUT, STR

__all__ = ["PROOF", "PlanDocument", "rows"]

#: Columns of ``Plan.proof``.
PROOF = {
    "group_id": STR, "name": STR, "shared": STR, "servers": INT, "batches": INT, "lower_bound": INT, "proven": BOOL,
    "why": STR,
}  # fmt: skip

_INT64 = 2**63
_CELLS: Mapping[str, Any] = {
    STR: StrictStr | None,
    INT: Annotated[StrictInt, Field(ge=-_INT64, lt=_INT64)] | None,
    BOOL: StrictBool | None,
}


class BatchDocument(Record):
    """A batch and the body of its request."""

    batch: Batch
    payload: dict[str, Any]


class PlanDocument(BaseModel):
    """A plan as ``Plan.to_document`` writes it, seal taken off; rows of frames are read by ``rows``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: StrictStr
    version: StrictInt
    fingerprint: StrictStr
    name_prefix: StrictStr
    rulebook_version: StrictStr
    options: BatchOptions
    notes: tuple[StrictStr, ...]
    approvals_needed: StrictInt = Field(ge=1)
    undoes: StrictStr
    batches: tuple[BatchDocument, ...]
    facts: dict[str, Any]
    left_out: Any
    proof: Any
    declared: tuple[Declared, ...] = ()
    warnings: tuple[StrictStr, ...] = ()
    reading: tuple[Done, ...] = ()
    open_points: tuple[StrictStr, ...] = ()
    for_reading: StrictBool = False


def _row(dtypes: Mapping[str, str], *, is_keyed: bool) -> TypeAdapter[Any]:
    cells = [_CELLS[dtype] for dtype in dtypes.values()]
    if is_keyed:
        cells[0] = StrictStr
    return TypeAdapter(list[tuple[tuple(cells)]])  # type: ignore[arg-type,misc]  # a row has as many cells as the frame columns


_ROWS = {
    **{name: _row(dtypes, is_keyed=True) for name, dtypes in FACTS.items()},
    "left_out": _row(LEFT_OUT.columns, is_keyed=True),
    "proof": _row(PROOF, is_keyed=False),
}


def rows(name: str, given: object) -> list[list[Any]]:
    """Return the rows of the frame called ``name``, every cell of its column's type.

    Raises
    ------
    pydantic.ValidationError
        ``given`` is no list of rows, or a row does not fit.
    """
    found: list[list[Any]] = _ROWS[name].validate_python(given)
    return found
