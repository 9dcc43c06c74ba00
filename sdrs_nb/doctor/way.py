"""The way to the cloud: proxy, encryption, what answers and how fast, and whether the clocks agree."""

from urllib.parse import urlsplit

from sdrs_nb.doctor.asking import Seen
from sdrs_nb.doctor.findings import Check, Finding, service_title
from sdrs_nb.errors import CloudUnreachable
from sdrs_nb.i18n import _
from sdrs_nb.inventory.loading import NEEDED
from sdrs_nb.settings import is_loopback

__all__ = ["SIGNATURES_LAST_S", "clock", "encryption", "iam", "proxy", "reached", "way_out"]

#: Clocks that differ by more spoil every signature (cloud-apis 3.1: rejected above 15 minutes).
SIGNATURES_LAST_S = 15 * 60
#: From here on a difference is worth a word, since it grows.
_CLOCK_WARNING_S = 60
#: An answer to so small a read that takes longer makes a load of a large project a matter of hours.
_SLOW_S = 3.0


def way_out(cause: str) -> str:
    """Return what to do about a cause of ``CloudUnreachable``."""
    return {
        "name": _("Check the region and the endpoint; the services of a region exist under its name alone."),
        "certificate": _(
            "If a proxy of your own opens TLS, name its certificate with SDRS_NB_CA_FILE or --ca-file; otherwise "
            "somebody else answers in the cloud's place: check the endpoint."
        ),
        "proxy": _("Set HTTPS_PROXY=http://user:password@host:port, or name the hosts of the cloud in NO_PROXY."),
        "refused": _("Check the endpoint and its port, and whether the service is running."),
        "time": _("Check the endpoint, the firewall and HTTPS_PROXY; the network may drop what goes there."),
    }.get(cause, _("Check the endpoint, this machine's network and HTTPS_PROXY, then run the doctor again."))


def proxy(seen: Seen) -> Finding:
    """Say through which proxy calls go; never its password."""
    ways = {service: seen.cloud.proxy(service) for service in ("iam", *seen.cloud.services)}
    named = sorted({way for way in ways.values() if way})
    if not named:
        return Finding("proxy", Check.OK, _("No proxy is used."))
    around = [service_title(service) for service, way in ways.items() if not way]
    found = _("Calls go through the proxy {proxy}.", proxy=", ".join(named))
    if around:
        found += " " + _("Not those to {services}.", services=", ".join(around))
    return Finding("proxy", Check.OK, found)


def encryption(seen: Seen) -> Finding:
    """Say how hosts answered encrypted and who vouched for them."""
    cloud = seen.cloud
    origins = {cloud.origin(service) for service in ("iam", *cloud.services)}
    if cloud.encryption:
        told = "; ".join(f"{host}: {how}" for host, how in sorted(cloud.encryption.items()))
        trusted = cloud.settings.ca_file or _("those of this machine")
        return Finding(
            "tls", Check.OK, _("Certificates were checked against {trusted}. {told}.", trusted=trusted, told=told)
        )
    plain = sorted(origin for origin in origins if origin.startswith("http:"))
    if not plain:
        return Finding("tls", Check.SKIPPED, _("Nothing has answered over the network."), _("Remedy the above first."))
    if all(is_loopback(origin) for origin in plain):
        return Finding("tls", Check.OK, _("Calls to this machine itself are not encrypted."))
    return Finding(
        "tls",
        Check.WARNING,
        _("{origin} is not encrypted: whoever is on the way reads all names and addresses.", origin=plain[0]),
        _("Use https."),
    )


def iam(seen: Seen) -> Finding:
    """Say that the host which knows the credentials answered, and how fast."""
    return _answered(seen, "iam", seen.seconds)


def reached(seen: Seen, service: str) -> Finding:
    """Say whether a service answered, and how long its slowest small read took."""
    answers = seen.answers[service]
    lost = {one.frame: one.error for one in answers if isinstance(one.error, CloudUnreachable)}
    if lost:
        first = next(iter(lost.values()))
        state = Check.FAILED if NEEDED & {*lost} else Check.WARNING
        return Finding(f"reach.{service}", state, str(first), way_out(first.cause))
    return _answered(seen, service, max(one.seconds for one in answers))


def _answered(seen: Seen, service: str, seconds: float) -> Finding:
    host = urlsplit(seen.cloud.origin(service)).netloc
    if seconds > _SLOW_S:
        return Finding(
            f"reach.{service}",
            Check.WARNING,
            _("{host} is slow: it took {seconds:.1f} seconds to answer a small read.", host=host, seconds=seconds),
            _("Try from nearer to the region, look at the proxy, or wait; loading a large project takes long."),
        )
    return Finding(
        f"reach.{service}", Check.OK, _("{host} answered after {seconds:.2f} seconds.", host=host, seconds=seconds)
    )


def clock(seen: Seen) -> Finding:
    """Say by how much this machine's clock and the cloud's differ."""
    ahead_s = seen.cloud.clock.ahead_s
    if ahead_s is None:
        return Finding(
            "clock",
            Check.SKIPPED,
            _("No answer said what time it is in the cloud."),
            _("Set this machine's clock by the network (NTP): signatures fail from 15 minutes on."),
        )
    apart = abs(ahead_s)
    if apart < _CLOCK_WARNING_S:
        return Finding("clock", Check.OK, _("Both show the same time, to {seconds} seconds.", seconds=round(apart)))
    spoils = apart >= SIGNATURES_LAST_S and seen.cloud.settings.kind == "access key"
    found = (
        _("This machine's clock is {minutes:.0f} minutes behind the cloud's.", minutes=apart / 60)
        if ahead_s > 0
        else _("This machine's clock is {minutes:.0f} minutes ahead of the cloud's.", minutes=apart / 60)
    )
    return Finding(
        "clock",
        Check.FAILED if spoils else Check.WARNING,
        found,
        _("Set this machine's clock by the network (NTP): from 15 minutes on every signature is refused."),
    )
