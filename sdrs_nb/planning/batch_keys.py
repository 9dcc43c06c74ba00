"""Batch keys: everything that one request shares.

Only the DR server's flavor is a server's own (batch-create page, table 2); group, DSS pool, subnet, tenancy,
dedicated host, tags, description and name prefix belong to the request, so servers that differ in one of them
never share a batch.  Waves are ours: who is to be protected before whom.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from sdrs_nb.models import Batch, BatchOptions, Tag
from sdrs_nb.payloads.requests import batch_problems
from sdrs_nb.rulebook import Rulebook

__all__ = ["FIELDS", "BatchKey"]


class BatchKey(NamedTuple):
    """What the servers of one request have in common."""

    wave: int
    group_id: str
    name_prefix: str
    cluster_id: str | None = None
    primary_subnet_id: str | None = None
    tenancy: str | None = None
    dedicated_host_id: str | None = None
    tags: tuple[Tag, ...] = ()
    description: str | None = None

    @classmethod
    def of(cls, options: BatchOptions, *, name_prefix: str = "-", group_id: str = "group") -> Self:
        """Return the key of the first wave's requests that differ in nothing from ``options``."""
        shared = {name: getattr(options, name) for name in cls._fields if name in BatchOptions.model_fields}
        return cls(1, group_id, name_prefix, **{**shared, "tags": options.tags or ()})

    def changed(self, values: Mapping[str, Any]) -> Self:
        """Return the key with other values; an empty one takes the value away, where the field can be without."""
        empty: Mapping[str, Any] = {"tags": (), "name_prefix": self.name_prefix, "wave": self.wave}
        given: dict[str, Any] = {name: value or empty.get(name) for name, value in values.items()}
        return self._replace(**given)

    def batch(self, batch_id: str, server_ids: tuple[str, ...], flavors: Mapping[str, str]) -> Batch:
        """Return a batch of this key; ``flavors`` may hold those of other servers."""
        own = {each: flavors[each] for each in server_ids if flavors.get(each)} if flavors else {}
        return Batch(batch_id=batch_id, server_ids=server_ids, flavors=own, **self._asdict())

    def problems(self, book: Rulebook) -> list[str]:
        """Return what the limits of the service say against every request of this key, its name left out."""
        return batch_problems(self._replace(name_prefix="-").batch("b", ("server",), {}), book)


#: What an override may give: all but the flavor is shared by the servers of one request.
FIELDS = ("wave", *(name for name in BatchKey._fields if name not in {"wave", "group_id"}), "flavor_id")
