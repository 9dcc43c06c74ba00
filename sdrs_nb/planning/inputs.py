"""What planning reads of an eligibility, its inventory and its rule book, and fast ways over their columns."""

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdrs_nb.models import BatchOptions, Declared

__all__ = ["Judged", "Loaded", "Rules", "is_in", "objects"]


class Rules(Protocol):
    """What planning needs of the rule book; a ``Rulebook``."""

    @property
    def version(self) -> str:
        """Name of exactly this content."""

    def limit(self, name: str) -> object:
        """Return a limit of the service."""


class Loaded(Protocol):
    """What planning needs of the inventory: frames in the columns of ``tables``, and facts only declared."""

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Facts that somebody vouches for."""

    @property
    def servers(self) -> pd.DataFrame:
        """``tables.SERVERS``."""

    @property
    def volumes(self) -> pd.DataFrame:
        """``tables.VOLUMES``."""

    @property
    def attachments(self) -> pd.DataFrame:
        """``tables.ATTACHMENTS``."""

    @property
    def groups(self) -> pd.DataFrame:
        """``tables.GROUPS``."""

    @property
    def protected_instances(self) -> pd.DataFrame:
        """``tables.PROTECTED_INSTANCES``."""

    @property
    def replication_pairs(self) -> pd.DataFrame:
        """``tables.REPLICATION_PAIRS``."""

    @property
    def quotas(self) -> pd.DataFrame:
        """``tables.QUOTAS``."""


class Judged(Protocol):
    """What planning needs of an ``Eligibility``."""

    @property
    def verdicts(self) -> pd.DataFrame:
        """``tables.VERDICTS``."""

    @property
    def findings(self) -> pd.DataFrame:
        """``tables.FINDINGS``."""

    @property
    def hindrances(self) -> pd.DataFrame:
        """The findings that block, or may block once missing data is there; ``tables.FINDINGS``."""

    @property
    def warnings(self) -> pd.DataFrame:
        """Warnings of groups, the request and the estate; ``tables.FINDINGS``."""

    @property
    def request_findings(self) -> pd.DataFrame:
        """Findings about what all requests share: at least ``rule``, ``severity``, ``message``."""

    @property
    def candidates(self) -> pd.DataFrame:
        """``tables.CANDIDATES``."""

    @property
    def clusters(self) -> pd.DataFrame:
        """``server_id, cluster_id, volume_ids`` of every server that shares a volume with another."""

    @property
    def asked(self) -> Sequence[str]:
        """Ids of the servers asked for, in order."""

    @property
    def options(self) -> BatchOptions:
        """What requests share."""

    @property
    def inventory(self) -> Loaded:
        """The frames judged."""

    @property
    def rulebook(self) -> Rules:
        """The rules judged by."""


def is_in(column: "pd.Series[str]", ids: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return for each value whether it is among ``ids``.

    pandas' own ``isin`` walks Arrow-backed strings one scalar at a time, which takes ten times as long.
    """
    wanted = frozenset(ids)
    return np.fromiter(map(wanted.__contains__, objects(column)), dtype=np.bool_, count=len(column))


def objects(column: "pd.Series[str]") -> npt.NDArray[np.object_]:
    """Return the values of a column as an array of objects, which Python loops over quickly."""
    return column.to_numpy(dtype=object)
