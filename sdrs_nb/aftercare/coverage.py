"""Coverage: which servers are protected and which are not, and where a DR server has drifted from production."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from sdrs_nb.aftercare.drift import drift_of
from sdrs_nb.asked import checked
from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.inventory import Inventory, load_inventory
from sdrs_nb.models import OnWait
from sdrs_nb.shown import html
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import IN_STEP, InstanceState, instance_state, is_error, is_unsound
from sdrs_nb.tables import INT, STR, Table, shape

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["COVERAGE", "Cover", "Coverage", "cover", "coverage"]

_FRAMES = ("servers", "groups", "protected_instances", "replication_pairs", "drill_servers", "enterprise_projects")
_SYNCED = 100


class Cover(StrEnum):
    """How far a server is covered, worst first."""

    ERROR = "error"  # its instance or its group is in an error status, or the instance is invalid
    UNPROTECTED = "unprotected"
    UNKNOWN = "unknown"  # no instance was seen, but not all of them could be read
    NOT_ENABLED = "not enabled"  # it has an instance, but its group copies nothing
    LAGGING = "lagging"  # its group is enabled, but not everything is copied
    UNDER_WAY = "under way"  # being made, started, stopped or switched
    FAILED_OVER = "failed over"  # it runs at the DR site and is copied nowhere until it is reprotected
    PROTECTED = "protected"


COVERAGE = Table(
    "coverage",
    "a production server and how far it is covered",
    {
        "server_id": STR,
        "name": STR,
        "cover": STR,
        "group_id": STR,
        "group_name": STR,
        "group_status": STR,
        "protected_instance_id": STR,
        "instance_status": STR,
        "progress": INT,  # of the synchronisation, per cent
        "dr_server_id": STR,
        "az": STR,
        "vpc_id": STR,
        "enterprise_project_id": STR,
        "remedy": STR,
    },
    key=("server_id",),
)

# A status that nobody documented counts as an error, never as covered.
_BY_STATE = {
    InstanceState.PROTECTED: Cover.PROTECTED,
    InstanceState.CREATED: Cover.NOT_ENABLED,
    InstanceState.FAULT: Cover.LAGGING,
    InstanceState.FAILED_OVER: Cover.FAILED_OVER,
    InstanceState.MAKING: Cover.UNDER_WAY,
    InstanceState.IN_PROGRESS: Cover.UNDER_WAY,
    InstanceState.GOING: Cover.UNDER_WAY,
    InstanceState.ERROR: Cover.ERROR,
    InstanceState.OTHER: Cover.ERROR,
}


@dataclass(frozen=True, repr=False)
class Coverage:
    """How far a project's servers are covered, and where DR servers have drifted; made by ``coverage``.

    Parameters
    ----------
    servers
        One row a production server, in the columns of ``COVERAGE``; DR servers and drill servers are not listed.
    drift
        One row a setting that a server and its DR server do not share, in the columns of ``drift.DRIFT``.
    inventory
        What it rests on.
    unverified
        Sentences about what could not be looked at.
    """

    servers: pd.DataFrame
    drift: pd.DataFrame
    inventory: Inventory = field(repr=False)
    unverified: tuple[str, ...] = ()

    def of(self, cover: str) -> pd.DataFrame:
        """Return the servers that are covered so far; ``cover`` is a word of ``Cover``, or ValueError."""
        return self.servers[self.servers["cover"] == Cover(cover)].reset_index(drop=True)

    @property
    def unprotected(self) -> pd.DataFrame:
        """Servers without a protected instance."""
        return self.of(Cover.UNPROTECTED)

    @property
    def protected(self) -> pd.DataFrame:
        """Servers whose group is enabled and whose volumes are in step."""
        return self.of(Cover.PROTECTED)

    @property
    def not_enabled(self) -> pd.DataFrame:
        """Servers with an instance whose group is not enabled: nothing is copied."""
        return self.of(Cover.NOT_ENABLED)

    @property
    def errors(self) -> pd.DataFrame:
        """Servers whose instance or group is in an error status, or whose instance is invalid."""
        return self.of(Cover.ERROR)

    @property
    def lagging(self) -> pd.DataFrame:
        """Servers whose group is enabled while not everything is copied, or copying is faulty."""
        return self.of(Cover.LAGGING)

    @property
    def counts(self) -> dict[str, int]:
        """Servers by cover, every word named, worst first."""
        found = self.servers["cover"].value_counts()
        return {each.value: int(found.get(each.value, 0)) for each in Cover}

    def __repr__(self) -> str:
        covered = ", ".join(f"{count} {word(cover)}" for cover, count in self.counts.items() if count)
        differences = ngettext_("{count} difference", "{count} differences", len(self.drift))
        lines = [_("Coverage: {told}; drift: {differences}", told=covered or "-", differences=differences)]
        return "\n".join([*lines, *(f"  {sentence}" for sentence in self.unverified)])

    def _repr_html_(self) -> str:
        worst = self.servers[~self.servers["cover"].isin([Cover.PROTECTED])]
        return html.summary(
            _("Coverage"),
            [(word(cover), count) for cover, count in self.counts.items()],
            notes=self.unverified,
            body=[
                self.picture(),
                html.heading(_("Not fully covered")),
                html.table(worst, columns=["name", "server_id", "cover", "group_name", "remedy"]),
                html.heading(_("Drift from production")),
                html.table(self.drift, columns=["name", "fact", "production", "dr", "remedy"]),
            ],
        )

    def picture(self) -> Markup:
        """Return the whole estate as one bar, its parts named below it and told to a screen reader."""
        covered = ", ".join(f"{word(cover)} {count}" for cover, count in self.counts.items() if count)
        servers = ngettext_("{count} server", "{count} servers", len(self.servers))
        about = _("Coverage of {servers}: {told}", servers=servers, told=covered or "-")
        return html.render("coverage.html", title=about, parts=self._parts())

    def _parts(self) -> list[dict[str, object]]:
        """Return the parts of the picture: word, count, and where its bar begins and how wide it is, per cent."""
        total, start, parts = max(len(self.servers), 1), 0.0, []
        for cover, count in self.counts.items():
            width = 100 * count / total
            if count:
                parts.append({"word": word(cover), "cover": cover, "count": count, "start": start, "width": width})
            start += width
        return parts


@checked
async def coverage(
    cloud: "Cloud",
    *,
    inventory: Inventory | None = None,
    auto_recovery: bool = True,
    on_progress: Callable[[str, int, int | None], None] | None = None,
    on_wait: OnWait | None = None,
) -> Coverage:
    """Return how far the project's servers are covered and where DR servers have drifted; changes nothing.

    Parameters
    ----------
    cloud
        What ``connect`` gave.
    inventory
        One just loaded, to save reading it again.
    auto_recovery
        Ask for auto recovery too, which takes two calls per protected server; without it that setting is not compared.
    on_progress, on_wait
        As in ``load_inventory``.

    Returns
    -------
    Coverage
        Frames ``servers`` and ``drift``; ``unverified`` says what could not be looked at.

    Raises
    ------
    AuthenticationError, PermissionDeniedError, CloudUnreachable, CloudError
        Servers, groups or protected instances could not be read.
    """
    with cloud.telling(on_wait):
        known = inventory or await load_inventory(cloud, frames=_FRAMES, on_progress=on_progress)
        pairs = _pairs(known)
        notes = _unread(known)
        recovers: Mapping[str, bool] = {}
        if auto_recovery and len(pairs):
            try:
                recovers = await cloud.ecs.auto_recovery([*pairs["server_id"], *pairs["dr_server_id"]])
            except CloudError as error:
                said = _("Auto recovery was not compared: ECS answered {status} {code}.", status=error.status,
                         code=error.code)  # fmt: skip
                notes.append(said)
    return cover(known, auto_recovery=recovers, unverified=notes)


@checked
def cover(
    inventory: Inventory, *, auto_recovery: Mapping[str, bool] | None = None, unverified: list[str] | None = None
) -> Coverage:
    """Return the coverage that ``inventory`` shows; pure, for files and tests.

    ``auto_recovery`` says by server id whether a server restarts by itself; what it leaves out is not compared.
    """
    pairs = _pairs(inventory)
    notes = tuple(_unread(inventory) if unverified is None else unverified)
    return Coverage(_covered(inventory, pairs), drift_of(pairs, inventory, auto_recovery or {}), inventory, notes)


def _unread(inventory: Inventory) -> list[str]:
    states = inventory.sources.set_index("frame")["state"]
    return [
        _("The list of {frame} is incomplete, so what is not in it is not known.", frame=name)
        if states[name] == "partial"
        else _("{frame} could not be read, so what depends on it is not shown.", frame=name)
        for name in _FRAMES[:5]
        if not inventory.is_loaded(name)
    ]


def _pairs(inventory: Inventory) -> pd.DataFrame:
    """Return one row a protected instance with its production and its DR server.

    Whether the two ids swap after a switchover is not documented, so AZs decide: production is the one
    in the group's production AZ; where that cannot be told, the source server.
    """
    zones = inventory.servers.drop_duplicates("server_id").set_index("server_id")["az"]
    groups = inventory.groups.drop_duplicates("group_id").set_index("group_id")
    pairs = inventory.protected_instances
    production_az = pairs["group_id"].map(groups["production_az"])
    source, target = pairs["source_server_id"], pairs["target_server_id"]
    swapped = (target.map(zones).eq(production_az) & source.map(zones).ne(production_az)).fillna(False).astype(bool)
    pairs["server_id"] = source.mask(swapped, target)
    pairs["dr_server_id"] = target.mask(swapped, source)
    return pairs


def _covered(inventory: Inventory, pairs: pd.DataFrame) -> pd.DataFrame:
    others = pd.concat([pairs["dr_server_id"], inventory.drill_servers["server_id"]]).dropna()
    servers = inventory.servers
    servers = servers[~servers["server_id"].isin(others)]
    instances = pairs.rename(columns={"status": "instance_status"}).drop_duplicates("server_id")
    joined = servers.merge(
        instances[["server_id", "group_id", "protected_instance_id", "instance_status", "progress", "dr_server_id"]],
        on="server_id",
        how="left",
    )
    groups = inventory.groups.rename(columns={"name": "group_name", "status": "group_status"})
    joined = joined.merge(groups[["group_id", "group_name", "group_status"]], on="group_id", how="left")
    absent = Cover.UNPROTECTED if inventory.is_loaded("protected_instances") else Cover.UNKNOWN
    joined["cover"] = _cover_of(joined, _unsynced(inventory), absent)
    joined["remedy"] = joined["cover"].map({each.value: _remedy(each) for each in Cover})
    order = joined["cover"].map({each.value: at for at, each in enumerate(Cover)})
    rows = joined.assign(order=order).sort_values(["order", "name", "server_id"], ignore_index=True)
    return shape(rows, COVERAGE)[list(COVERAGE.columns)]


def _unsynced(inventory: Inventory) -> set[str]:
    """Return the instances with a pair that is not in step, by its replication status or its own."""
    pairs = inventory.replication_pairs
    behind = pairs["replication_status"].fillna(IN_STEP).ne(IN_STEP) | pairs["status"].fillna("").map(
        is_unsound
    ).astype(bool)
    ids = pairs.loc[behind, "protected_instance_ids"].dropna()
    return {each for joined in ids for each in str(joined).split(",")}


def _cover_of(rows: pd.DataFrame, unsynced: set[str], absent: Cover) -> pd.Series:
    """Return how far each server is covered; ``absent`` is what a server without an instance counts as."""
    found = rows["instance_status"].map(lambda status: _BY_STATE[instance_state(str(status))].value).astype("string")
    found = found.mask(rows["group_status"].fillna("").map(is_error).astype(bool), Cover.ERROR.value)
    found = found.mask(rows["protected_instance_id"].isna(), absent.value)
    behind = rows["protected_instance_id"].isin(unsynced) | rows["progress"].fillna(_SYNCED).lt(_SYNCED)
    return found.mask(found.eq(Cover.PROTECTED.value) & behind, Cover.LAGGING.value)


def _remedy(cover: Cover) -> str:
    remedies = {
        Cover.ERROR: _(
            "Look at the failed jobs of its group; delete the instance in SDRS, then plan the server again."
        ),
        Cover.UNPROTECTED: _("Check it: `sdrs-nb check` says whether it can be protected, and why not."),
        Cover.UNKNOWN: _("Load again; not all protected instances could be read, so nobody knows."),
        Cover.NOT_ENABLED: _("Enable protection of its group; until then nothing is copied."),
        Cover.LAGGING: _("Wait for the synchronisation; when it stays behind, look at the health of its pairs."),
        Cover.UNDER_WAY: _("Wait for the operation on its group to end, then look again."),
        Cover.FAILED_OVER: _("Reprotect its group; until then nothing is copied."),
        Cover.PROTECTED: "",
    }
    return remedies[cover]
