"""What there is room for: quotas of SDRS, ECS and EVS, and the limits that no quota shows."""

from sdrs_nb.doctor.asking import QUOTAS, Seen
from sdrs_nb.doctor.findings import Check, Finding
from sdrs_nb.doctor.permissions import unverified
from sdrs_nb.i18n import _

__all__ = ["limits", "quota"]

#: Quotas without which no instance comes to be: each needs a pair a volume, a DR server and DR volumes.
_NEEDED = frozenset({"replications", "instances", "cores", "ram_mib", "volumes", "gigabytes"})
#: Quotas that are told; others are of single kinds of volumes.
_TOLD = _NEEDED | {"server_groups"}


def quota(seen: Seen, service: str) -> Finding:
    """Say what of a service's quotas is used, and which are used up."""
    check = f"quota.{service}"
    frame = QUOTAS[service]
    rows = next(one.rows for one in seen.answers[service] if one.frame == frame)
    listed = [] if rows is None else rows[["resource_type", "used", "quota"]].dropna().to_numpy().tolist()
    known = [(str(name), int(used), int(most)) for name, used, most in listed if name in _TOLD]
    if not known:
        found = _("No quota could be read.")
        return Finding(check, Check.SKIPPED, found, unverified(seen.rulebook, [frame]))
    gone = [(name, used, most) for name, used, most in known if 0 <= most <= used]
    if gone:
        return Finding(
            check,
            Check.FAILED if _NEEDED & {name for name, _used, _most in gone} else Check.WARNING,
            _("Used up: {quotas}.", quotas=_told(gone)),
            _("Ask for more of it (console: My Quota), or delete what is no longer needed: an instance takes a pair a "
              "volume, a DR server and DR volumes."),
        )  # fmt: skip
    return Finding(check, Check.OK, _("Used: {quotas}.", quotas=_told(known)))


def _told(rows: list[tuple[str, int, int]]) -> str:
    return ", ".join(
        _("{name} {used} of {most}", name=name, used=used, most=most)
        if most >= 0
        else _("{name} {used}, no limit", name=name, used=used)
        for name, used, most in rows
    )


def limits(seen: Seen) -> Finding:
    """Say how many servers a request takes, which no call tells."""
    book = seen.rulebook
    if not book.limit("batch_create"):
        return Finding("limits", Check.OK, _("One server a request."))
    return Finding(
        "limits",
        Check.OK,
        _("{servers} servers a request, as documented; no quota shows it, nor how many instances a group may have.",
          servers=book.number("batch_size")),
        _("Where your tenant was granted more: --batch-limit, or BatchOptions(batch_limit=)."),
    )  # fmt: skip
