"""What the credentials may do: read each service, and create.

SDRS has no actions that a custom policy could name, only roles (the vendor's permission page): *SDRS Administrator*
manages it, and needs *Tenant Guest* and *Server Administrator* in the same project; *Tenant Guest* alone reads.
"""

from collections.abc import Collection

from sdrs_nb.doctor.asking import Seen
from sdrs_nb.doctor.caller import refusal
from sdrs_nb.doctor.findings import Check, Finding, frames_told, service_title
from sdrs_nb.errors import CloudUnreachable, PermissionDeniedError, SdrsError, UnknownCallError
from sdrs_nb.i18n import _
from sdrs_nb.inventory.loading import NEEDED
from sdrs_nb.rulebook import Effect, Rulebook

__all__ = ["permission", "to_create", "unverified"]

#: Roles as tokens name them, which is not as the console does (ASSUMED: sdrs_role_name).
_ALL = frozenset({"te_admin", "Tenant Administrator"})
_PARTS = (
    frozenset({"sdrs_adm", "SDRS Administrator"}),
    frozenset({"readonly", "Tenant Guest"}),
    frozenset({"server_adm", "Server Administrator"}),
)


def unverified(book: Rulebook, frames: Collection[str]) -> str:
    """Return in a sentence which rules cannot be decided while ``frames`` are not read; ``""``: none."""
    waiting = [
        rule.id for rule in book.rules.values() if {*rule.needs} & {*frames} and book.severity(rule.id) != Effect.OFF
    ]
    return _("Until then these rules stay unverified: {rules}.", rules=", ".join(waiting)) if waiting else ""


def permission(seen: Seen, service: str) -> Finding:
    """Say what a service is read for and whether that may be done."""
    check, title = f"permission.{service}", service_title(service)
    heard = [one for one in seen.answers[service] if not isinstance(one.error, CloudUnreachable)]
    if not heard:
        unread = unverified(seen.rulebook, [one.frame for one in seen.answers[service]])
        return Finding(check, Check.SKIPPED, _("It did not answer."), unread)
    for kind, advice in (
        (PermissionDeniedError, _to_read(service)),
        (UnknownCallError, _("The endpoint does not offer this: choose a region that has {service}, or name its "
                             "address with endpoints= of connect().", service=title)),
        (SdrsError, _("Wait some minutes and run the doctor again; then ask the support of the cloud.")),
    ):  # fmt: skip
        refused = {one.frame: one.error for one in heard if isinstance(one.error, kind)}
        if refused:
            first = next(iter(refused.values()))
            return Finding(
                check,
                Check.FAILED if NEEDED & {*refused} else Check.WARNING,
                _("{service} could not be read for {frames}: {said}",
                  service=title, frames=frames_told(refused), said=refusal(first)),
                f"{advice} {unverified(seen.rulebook, refused)}".strip(),
            )  # fmt: skip
    return Finding(check, Check.OK, _("May be read: {frames}.", frames=frames_told(one.frame for one in heard)))


def _to_read(service: str) -> str:
    if service == "eps":
        return _("Ask the administrator of the account for read access to enterprise projects, account-wide.")
    if service == "sdrs":
        return _("Ask the administrator of the account for the role Tenant Guest in this project, which reads; SDRS "
                 "has no actions that a custom policy could name.")  # fmt: skip
    return _("Ask the administrator of the account for the role Tenant Guest in this project, or for a policy that "
             "lets {service} be read.", service=service_title(service))  # fmt: skip


def to_create(seen: Seen, probed: SdrsError | None) -> Finding:
    """Say whether instances may be created, as far as a token's roles or a probe tell."""
    identity = seen.identity
    needed = _("In this project the user needs the role SDRS Administrator together with Tenant Guest and Server "
               "Administrator; a list of actions in a custom policy cannot stand for it.")  # fmt: skip
    if isinstance(probed, PermissionDeniedError):
        return Finding("permission.create", Check.FAILED, _("A create is denied: {said}", said=refusal(probed)), needed)
    roles = {*identity.roles} if identity is not None else set()
    if not roles:
        found = _("Cannot be seen by reading: what signs the calls names no roles.")
        return Finding("permission.create", Check.SKIPPED, found, needed)
    if roles & _ALL or all(roles & names for names in _PARTS):
        told = ", ".join(sorted(roles & _ALL or {name for names in _PARTS for name in roles & names}))
        return Finding("permission.create", Check.OK, _("The token holds the roles for it: {roles}.", roles=told))
    return Finding(
        "permission.create",
        Check.WARNING,
        _("Not seen among the token's roles: {roles}.", roles=", ".join(sorted(roles))),
        needed,
    )
