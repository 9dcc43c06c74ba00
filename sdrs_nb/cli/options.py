"""Options that several commands share, and the connection that the global ones describe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdrs_nb.cli import printing, watching
from sdrs_nb.i18n import LANGUAGES, _
from sdrs_nb.i18n.choosing import set_language

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.inventory.inventory import Inventory
    from sdrs_nb.settings import Settings

__all__ = ["Assume", "Choose", "Connection", "Group", "Json", "Mapped", "Rules", "RunId", "Source", "given", "globally"]

Json = Annotated[bool, typer.Option("--json", help=_("Print machine-readable JSON on the standard output."))]
Source = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help=_("An inventory file (.xlsx, .csv, .json) or folder. Left out: the cloud is read."),
        show_default=False,
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="GROUP_ID",
        help=_("Judge every server against this protection group. Left out: each server is matched with the groups "
               "of its VPC and AZ."),
        show_default=False,
    ),
]  # fmt: skip
Assume = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="FACT=VALUE",
        help=_(
            "Take a fact for true that could not be read, such as drill_servers=none or servers.locked=false; may "
            "be repeated. It is told with your name wherever the plan is shown, and read before anything is sent."
        ),
        show_default=False,
    ),
]
Mapped = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="HEADING=COLUMN",
        help=_(
            "Which heading of the file is which column, such as 'Host=name'; 'Host=' leaves it out; may be repeated."
        ),
        show_default=False,
    ),
]
Choose = Annotated[
    list[str] | None,
    typer.Option(
        "--choose",
        metavar="[SERVER_ID=]GROUP_ID",
        help=_(
            "Where several groups fit, use this one: for one server, or for every server that it fits; may be repeated."
        ),
        show_default=False,
    ),
]
Rules = Annotated[
    str | None,
    typer.Option(
        "--rulebook",
        metavar="NAME",
        help=_("Whose rules to use: huaweicloud, huaweicloud-2025 or otc; behind it what to change, as in "
               "'otc batch_size=10'. Left out: those of the cloud, or of the run."),
        show_default=False,
    ),
]  # fmt: skip
RunId = Annotated[str, typer.Argument(metavar="RUN", help=_("Run id, from `sdrs-nb runs`."), show_default=False)]


@dataclass(frozen=True)
class Connection:
    """What the global options say; the rest is looked for as ``sdrs_nb.connect`` does."""

    endpoint: str | None = None
    region: str | None = None
    project_id: str | None = None
    profile: str | None = None
    ca_file: Path | None = None
    quiet: bool = False
    read_only: bool = False
    tape: Path | None = None

    def connect(self, *, read_only: bool = False) -> "Cloud":
        """Return the connection; no network yet.  Raises ``SettingsError`` where something is missing."""
        from sdrs_nb.cloud import connect

        cloud = connect(
            endpoint=self.endpoint,
            region=self.region,
            project_id=self.project_id,
            profile=self.profile,
            ca_file=self.ca_file,
            read_only=read_only or self.read_only or None,
            record=self.tape,
        )
        cloud.on_wait(watching.waiting(quiet=self.quiet))
        return cloud

    def settings(self) -> "Settings":
        """Return what the connection would use; no network.  Raises ``SettingsError`` as ``connect``."""
        return self.connect().settings

    async def load(self, on_progress: Callable[[str, int, int | None], None]) -> "Inventory":
        """Return the inventory of the project, read now."""
        from sdrs_nb.inventory.inventory import load_inventory

        async with self.connect(read_only=True) as cloud:
            return await load_inventory(cloud, on_progress=on_progress)


def given(context: typer.Context) -> Connection:
    """Return what the global options said."""
    found = context.find_object(Connection)
    return found if isinstance(found, Connection) else Connection()


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        from sdrs_nb import __version__

        printing.value(__version__)
        raise typer.Exit


def globally(
    context: typer.Context,
    *,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help=_("One origin for every service: a sandbox or a gateway."))
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="NAME", help=_("Region, such as cn-north-4."))] = None,
    project_id: Annotated[
        str | None, typer.Option(metavar="ID", help=_("Project, where credentials reach several."))
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=_("Entry of clouds.yaml or section of ~/.huaweicloud/credentials to use.")),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("Certificates to trust, behind a proxy of one's own."))
    ] = None,
    lang: Annotated[str | None, typer.Option(metavar="|".join(LANGUAGES), help=_("Language of every text."))] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help=_("Refuse whatever could change something in the cloud."))
    ] = False,
    tape: Annotated[
        Path | None,
        typer.Option(
            "--tape", metavar="DIR", help=_("Record every request and answer, with pseudonyms for what names anybody.")
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=_("No progress on the standard error."))] = False,
    _version_asked: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help=_("Print the version and leave."))
    ] = False,
) -> None:
    """Take the global options; credentials are never among them, since every user of a machine sees its commands."""
    if lang is not None:
        if lang.replace("_", "-").split("-")[0].lower() not in LANGUAGES:
            raise typer.BadParameter(
                _("{language} is not spoken here; choose one of: {known}.", language=lang, known=", ".join(LANGUAGES)),
                param_hint="--lang",
            )
        set_language(lang)
    context.obj = Connection(endpoint, region, project_id, profile, ca_file, quiet, read_only, tape)
