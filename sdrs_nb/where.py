"""Which cloud, region and project something is about, as whom, and whether that is a sandbox: said alike everywhere.

Made of who the cloud says we are (``Identity``), of a run's record, or of settings before the cloud was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from sdrs_nb.i18n import _

__all__ = ["Where"]


class _Settings(Protocol):
    """What is known before the cloud was asked."""

    @property
    def endpoint(self) -> str | None: ...
    @property
    def cloud_host(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def project_id(self) -> str | None: ...
    @property
    def project_name(self) -> str | None: ...
    @property
    def user(self) -> str | None: ...


@dataclass(frozen=True)
class Where:
    """One place in one cloud; what is not known is an empty text.

    Parameters
    ----------
    cloud_host
        ``otc.t-systems.com``; the endpoint's host where one endpoint stands for every service.
    region, project_id, project_name, user_name
        As the cloud tells them.
    world
        The sandbox's world id; ``""`` where this is no sandbox.
    """

    cloud_host: str = ""
    region: str = ""
    project_id: str = ""
    project_name: str = ""
    user_name: str = ""
    world: str = ""

    @classmethod
    def of_identity(cls, identity: Any) -> Self:
        """Return where ``cloud.check()`` says we are."""
        return cls._of({name: getattr(identity, name, "") for name in (*_NAMES, "endpoint")})

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return where a run was recorded; a record of an older version knows less."""
        return cls._of(record)

    @classmethod
    def of_settings(cls, settings: _Settings, *, project_id: str | None = None) -> Self:
        """Return what settings say before the cloud was asked, with the project's id where something else tells it."""
        host = (urlsplit(settings.endpoint).hostname or "") if settings.endpoint else settings.cloud_host
        found = project_id or settings.project_id
        # Without an id the project is looked up by name, which is the region's by default.
        name = settings.project_name or (None if found else settings.region)
        return cls(host, settings.region or "", found or "", name or "", settings.user or "")

    @classmethod
    def _of(cls, held: Mapping[str, Any]) -> Self:
        told = {name: str(held.get(name) or "") for name in _NAMES}
        host = told.pop("cloud_host") or urlsplit(str(held.get("endpoint") or "")).hostname or ""
        return cls(cloud_host=host, **told)

    @property
    def is_sandbox(self) -> bool:
        """Whether nothing there is real."""
        return bool(self.world)

    @property
    def project(self) -> str:
        """Name and id of the project, as far as both are known."""
        if self.project_name and self.project_id:
            return f"{self.project_name} ({self.project_id})"
        return self.project_name or self.project_id

    @property
    def kind(self) -> str:
        """Whether this is a sandbox, in words; an old run and unread settings do not tell."""
        return _("sandbox, world {world}", world=self.world) if self.is_sandbox else _("not a known sandbox")

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Cloud, region, project, user and whether it is a sandbox, each under its title."""
        return [
            (_("Cloud"), self.cloud_host or "-"),
            (_("Region"), self.region or "-"),
            (_("Project"), self.project or "-"),
            (_("User"), self.user_name or "-"),
            (_("Sandbox"), self.kind),
        ]

    def document(self) -> dict[str, Any]:
        """Return it for machines."""
        return {**{name: getattr(self, name) for name in _NAMES}, "sandbox": self.is_sandbox}

    def __str__(self) -> str:
        return _(
            "Cloud {cloud}, region {region}, project {project}, user {user}; {kind}.",
            cloud=self.cloud_host or "-",
            region=self.region or "-",
            project=self.project or "-",
            user=self.user_name or "-",
            kind=self.kind,
        )


_NAMES = ("cloud_host", "region", "project_id", "project_name", "user_name", "world")
