"""Who calls, in which project and region; and what is to blame where that could not be told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sdrs_nb.doctor.asking import Seen, region_of
from sdrs_nb.doctor.findings import Check, Finding
from sdrs_nb.doctor.way import SIGNATURES_LAST_S, clock, way_out
from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    CloudUnreachable,
    NotFoundError,
    PermissionDeniedError,
    SdrsError,
    SettingsError,
    UnknownCallError,
)
from sdrs_nb.i18n import _

__all__ = ["blamed", "credentials", "project", "refusal", "region"]

_PROXY_LOGIN = 407
#: A token that ends sooner ends in the middle of a batch.
_SHORT = timedelta(hours=1)


def refusal(error: SdrsError) -> str:
    """Return what was answered in the cloud's words, without the advice that errors carry."""
    if not isinstance(error, CloudError) or not (error.code or error.cloud_message):
        return str(error)
    said = ": ".join(part for part in (error.code, error.cloud_message) if part)
    return _("{method} {path} answered {status}, {said}",
             method=error.method, path=error.path, status=error.status, said=said)  # fmt: skip


def blamed(seen: Seen) -> Finding | None:  # noqa: PLR0911 - one answer a cause
    """Return the one finding that keeps everything behind it from being looked at; None where nothing does."""
    error = seen.error
    match error:
        case None:
            first = next((one for one in (project(seen), region(seen)) if one.state == Check.FAILED), None)
            return first if seen.is_foreign else None
        case CloudUnreachable():
            check = {"certificate": "tls", "proxy": "proxy"}.get(error.cause, "reach.iam")
            return Finding(check, Check.FAILED, str(error), way_out(error.cause))
        case AuthenticationError() if error.status == _PROXY_LOGIN:
            found = _("A proxy on the way wants a user and a password: {said}", said=refusal(error))
            return Finding("proxy", Check.FAILED, found, way_out("proxy"))
        case AuthenticationError():
            apart = abs(seen.cloud.clock.ahead_s or 0)
            if apart >= SIGNATURES_LAST_S and seen.cloud.settings.kind == "access key":
                return clock(seen)
            return _refused(seen, error)
        case UnknownCallError():
            return Finding("reach.iam", Check.FAILED, refusal(error), way_out(""))
        case PermissionDeniedError() | NotFoundError() | SettingsError():
            return Finding(
                "project",
                Check.FAILED,
                refusal(error),
                _("Name the project with SDRS_NB_PROJECT_ID or --project-id; its id stands beside the region in the "
                  "console, under My Credentials."),
            )  # fmt: skip
        case _:
            return Finding("reach.iam", Check.FAILED, refusal(error), _("Wait some minutes and run the doctor again."))


def _refused(seen: Seen, error: AuthenticationError) -> Finding:
    settings = seen.cloud.settings
    if settings.kind == "token":
        remedy = _("A token lives 24 hours at most: get a new one, or use an access key, or a user and a password, "
                   "which are renewed here.")  # fmt: skip
    elif settings.kind == "password":
        remedy = _("Check user, password, account (SDRS_NB_DOMAIN) and project, and whether the user may log in by "
                   "programs; with wrong ones nothing else was tried.")  # fmt: skip
    elif settings.is_temporary:
        remedy = _("Temporary keys end with their security token: get new keys with a new token.")
    else:
        remedy = _("Check that access key and secret key are a pair, of this account and not disabled; five wrong "
                   "signatures in a row lock a key for five minutes.")  # fmt: skip
    found = _("The credentials were refused ({places}): {said}", places=_places(settings.found_in), said=refusal(error))
    return Finding("credentials", Check.FAILED, found, remedy)


def _places(found_in: Mapping[str, str]) -> str:
    secrets = ("credential_process", "credentials", "token", "access_key", "user")
    return next((f"{name}: {found_in[name]}" for name in secrets if name in found_in), "-")


def credentials(seen: Seen) -> Finding:
    """Say who calls, by what, and where that was found."""
    identity, settings = seen.identity, seen.cloud.settings
    assert identity is not None  # noqa: S101 - asked for only where it is known
    found = _(
        "{user} by {kind} ({places}).",
        user=identity.user_name or identity.user_id or _("a user who is not named"),
        kind={"token": _("token"), "access key": _("access key"), "password": _("password")}[settings.kind],
        places=_places(settings.found_in),
    )
    if settings.unused:
        found += " " + _("Found and not used: {places}.", places="; ".join(settings.unused))
    ends = _ends(identity.expires_at)
    if settings.kind == "token" and ends is not None and ends - datetime.now(UTC) < _SHORT:
        return Finding(
            "credentials",
            Check.WARNING,
            found + " " + _("The token ends at {ends:%H:%M} UTC.", ends=ends),
            _("Get a new token before the first batch; a run that loses its token stops."),
        )
    return Finding("credentials", Check.OK, found)


def _ends(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def project(seen: Seen) -> Finding:
    """Say in which project calls are made, and whether the account has it."""
    identity = seen.identity
    assert identity is not None  # noqa: S101 - asked for only where it is known
    told = f"{seen.project_name} ({identity.project_id})" if seen.project_name else identity.project_id
    if seen.projects is None:
        found = _("{project}; the account's projects may not be listed by these credentials.", project=told)
        return Finding("project", Check.OK, found)
    if identity.project_id in seen.projects:
        return Finding("project", Check.OK, told)
    known = ", ".join(f"{one.get('name')} ({project_id})" for project_id, one in list(seen.projects.items())[:10])
    return Finding(
        "project",
        Check.FAILED,
        _("Project {project} is none of this account: {known}.", project=identity.project_id, known=known),
        _("Name one of these with SDRS_NB_PROJECT_ID or --project-id, or use credentials of its own account."),
    )


def region(seen: Seen) -> Finding:
    """Say which region is talked to, and whether the project is of it."""
    identity = seen.identity
    assert identity is not None  # noqa: S101 - asked for only where it is known
    theirs = region_of(seen.project_name)
    if theirs and identity.region and theirs != identity.region:
        return Finding(
            "region",
            Check.FAILED,
            _("Project {project} is of region {theirs}, but calls go to region {ours}.",
              project=seen.project_name, theirs=theirs, ours=identity.region),
            _("Set SDRS_NB_REGION={theirs} (or --region), or name a project of region {ours}.",
              theirs=theirs, ours=identity.region),
        )  # fmt: skip
    if not identity.region:
        found = _("Not named; every service has an address of its own.")
        return Finding("region", Check.OK, found)
    return Finding("region", Check.OK, identity.region)
