"""What stands between this machine and the endpoint: certificates, proxies, or nothing at all."""

import ipaddress
import os.path
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.settings.secret import is_text, looks_like_a_key

__all__ = ["is_loopback", "refuse_unusable", "trusting"]

#: Kinds of proxies that the HTTP library can use as it is installed.
_PROXIES = frozenset({"http", "https"})


def is_loopback(url: str) -> bool:
    """Tell whether ``url`` stays on this machine, where no proxy may be asked and plain HTTP leaks nothing."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False


def trusting(ca_file: Path) -> ssl.SSLContext:
    """Return what trusts the certificates of a file.

    Raises ``SettingsError`` where it cannot be read or holds none.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        if not os.path.exists(ca_file):  # noqa: PTH110 - of any text, too long for a path or with a NUL in it
            # Not quoted: what is no path may be a secret, pasted there.
            raise SettingsError(
                _("There is no certificate file of the name given (ca_file=, SDRS_NB_CA_FILE, SSL_CERT_FILE).")
            ) from None
        raise SettingsError(
            _("The certificate file {path} cannot be used: {reason}.", path=ca_file, reason=error)
        ) from error


def refuse_unusable(ca_file: Path | None, environ: Mapping[str, str]) -> None:
    """Refuse certificates and proxies that no connection could be made with, before one is tried.

    The HTTP library takes them from the environment; its own errors would come late and quote a proxy's password.

    Raises
    ------
    SettingsError
        A certificate file or a proxy cannot be used; names which, and never what a proxy's variable holds.
    """
    for path in (ca_file, environ.get("SSL_CERT_FILE")):
        if path:
            trusting(Path(path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        given = environ.get(name.lower()) or environ.get(name)
        if not given:
            continue
        try:
            address = urlsplit(given if "://" in given else f"http://{given}")
            is_fit = bool(address.hostname) and (address.port or 1) > 0 and address.scheme in _PROXIES
        except ValueError:
            is_fit = False
        if not is_fit or not is_text(given) or looks_like_a_key(given):
            raise SettingsError(
                _("{name} is not the address of a proxy, such as http://host:port; correct it or remove it.", name=name)
            )
