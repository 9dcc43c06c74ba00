"""What is known of the cloud talked to: whose rules hold, whether batches are documented, what the vendor announced."""

from sdrs_nb.doctor.asking import Seen
from sdrs_nb.doctor.findings import Check, Finding
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import rulebook_reason

__all__ = ["batch_call", "rules", "service", "shared_volumes"]

_OTC = "otc"


def rules(seen: Seen) -> Finding:
    """Say whose rules hold, and why."""
    site = seen.cloud.settings.site
    said = rulebook_reason(seen.rulebook, site)
    if site.is_assumed and seen.rulebook.name == site.profile:
        remedy = _("Name the cloud (SDRS_NB_CLOUD_HOST) or choose with --rulebook, so that no other site's rules are "
                   "applied.")  # fmt: skip
        return Finding("rulebook", Check.WARNING, said, remedy)
    return Finding("rulebook", Check.OK, said)


def batch_call(seen: Seen) -> Finding:
    """Say whether this site documents the batch create; nobody asks the site."""
    if seen.rulebook.limit("batch_create"):
        return Finding(
            "batch_call",
            Check.OK,
            _("Documented for this site; only a create would prove it."),
            _("--probe-batch asks with a create that cannot create anything. Otherwise the first request shows it, and "
              "a site without the call stops the run there."),
        )  # fmt: skip
    return Finding(
        "batch_call",
        Check.WARNING,
        _("Not documented for this site: every server is a request of its own."),
        _("Nothing to do; servers with shared volumes are left out, since all of them belong into one request."),
    )


def service(seen: Seen) -> Finding:
    """Say what the service is called today, and that the vendor gives this kind of replication up."""
    name = _("SDRS is called BRS (Business Recovery Service) today; hosts, paths and codes still say sdrs.")
    if seen.rulebook.profile == _OTC:
        going_on = _("Synchronous replication goes on at this site.")
        return Finding("service", Check.OK, f"{going_on} {name}")
    ending = _("The vendor has announced the end of synchronous replication, which this API drives; it is kept for "
               "installations there are. No date could be read.")  # fmt: skip
    return Finding(
        "service", Check.WARNING, f"{ending} {name}", _("Ask your provider how long before a new project relies on it.")
    )


def shared_volumes(seen: Seen) -> Finding:
    """Say that pages differ about shared volumes, and which is followed."""
    if not seen.rulebook.limit("shared_volumes"):
        return Finding("shared_volumes", Check.OK, _("Servers with shared volumes are left out, as this site demands."))
    return Finding(
        "shared_volumes",
        Check.WARNING,
        _("The vendor's page of 2025-11-26 forbids servers with shared volumes in a batch; the rule book in use takes "
          "them where all of their servers are in the request."),
        _("Choose --rulebook huaweicloud-2025 to leave them out; otherwise rule H15 stays unverified."),
    )  # fmt: skip
