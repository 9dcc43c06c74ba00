"""Keys that are lent for a while, by the metadata service of a server with an agency, or by a command of one's own.

Lent keys live in memory alone.  Neither what a command printed nor its own text is ever told: both may be secret.
"""

import asyncio
import json
import os
import shlex
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sdrs_nb.errors import AuthenticationError
from sdrs_nb.i18n import _
from sdrs_nb.settings.secret import Secret, is_header_value

__all__ = ["Keys", "Lend", "by_command", "by_metadata"]

#: Of the metadata service (ECS user guide, "Obtaining Metadata", security key; the vendor SDK's MetadataAccessor).
_TOKEN_PATH, _KEY_PATH = "/meta-data/latest/api/token", "/openstack/latest/securitykey"
_TOKEN_LIFE_S = "21600"  # noqa: S105 - seconds
#: The vendor SDK waits as long; where nothing answers, this machine is no server of the cloud.
_METADATA_LIMIT_S = 3.0
_MOST_BYTES = 65_536
#: A metadata service without tokens of its own.
_NO_TOKENS = frozenset({404, 405})
_OK = 200
#: Keys that do not say when they end are asked for again after this time (metadata lends for an hour).
_UNTOLD = timedelta(minutes=10)
#: Our name -> names in answers: ours, the vendor's, and those that other clouds' commands print.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "access_key": ("access_key", "access", "AccessKeyId", "ak"),
    "secret_key": ("secret_key", "secret", "SecretAccessKey", "sk"),
    "security_token": ("security_token", "securitytoken", "SessionToken"),
    "expires_at": ("expires_at", "Expiration"),
}


@dataclass(frozen=True)
class Keys:
    """An access key that was lent; ``ends`` is the moment by which it stops, None where it does not."""

    access_key: Secret | None
    secret_key: Secret | None
    security_token: Secret | None = None
    ends: datetime | None = None


#: Asks for keys.
Lend = Callable[[], Awaitable[Keys]]


async def by_metadata(origin: str) -> Keys:
    """Return the keys that the metadata service at ``origin`` lends this server's agency; asks the network.

    Raises
    ------
    AuthenticationError
        Nothing answers, the server has no agency, or the answer holds no keys.
    """
    try:
        async with httpx.AsyncClient(base_url=origin, timeout=_METADATA_LIMIT_S, trust_env=False) as client:
            asked = await client.put(_TOKEN_PATH, headers={"X-Metadata-Token-Ttl-Seconds": _TOKEN_LIFE_S})
            known = asked.status_code == _OK and is_header_value(asked.text)
            answer = await client.get(_KEY_PATH, headers={"X-Metadata-Token": asked.text} if known else {})
    except httpx.HTTPError as error:
        why = _("nothing answers there ({reason}); outside of a server of the cloud it does not exist",
                reason=type(error).__name__)  # fmt: skip
        raise _refused(_metadata(), why) from None
    if not known and asked.status_code not in _NO_TOKENS:
        raise _refused(_metadata(), _("it answered {status}", status=asked.status_code), asked.status_code)
    if answer.status_code != _OK:
        why = _("it answered {status}; configure an agency for this server in its management information",
                status=answer.status_code)  # fmt: skip
        raise _refused(_metadata(), why, answer.status_code)
    return _keys(answer.content, _metadata(), untold=_UNTOLD)


async def by_command(command: str, limit_s: float = 60.0) -> Keys:
    """Return the keys that a command prints as JSON; it is run without a shell, and for so many seconds at most.

    Raises
    ------
    AuthenticationError
        It cannot be started, fails, takes too long, or prints no keys.
    """
    return await asyncio.to_thread(_by_command, command, limit_s)


def _by_command(command: str, limit_s: float) -> Keys:
    try:
        words = shlex.split(command, posix=os.name != "nt")
        done = subprocess.run(  # noqa: S603 - the operator's own command, asked for by name
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(_command(), _("it took longer than {limit} s", limit=f"{limit_s:g}")) from None
    except (OSError, ValueError, IndexError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else _("it is no command")
        raise _refused(_command(), why) from None
    if done.returncode:
        raise _refused(_command(), _("it ended with {code}", code=done.returncode))
    return _keys(done.stdout, _command(), untold=None)


def _keys(text: bytes, lender: str, *, untold: timedelta | None) -> Keys:
    """Return the keys of an answer; ``untold`` is how long they count where it does not say."""
    try:
        document = json.loads(text) if len(text) <= _MOST_BYTES else None
    except ValueError:
        document = None
    held: Any = document.get("credential", document) if isinstance(document, dict) else None
    found = {
        ours: str(value).strip()
        for ours, names in _NAMES.items()
        if isinstance(held, dict) and (value := next((held[name] for name in names if held.get(name)), None))
    }
    ends = _moment(found.pop("expires_at", ""), lender)
    if not {"access_key", "secret_key"} <= found.keys() or not all(map(is_header_value, found.values())):
        raise _refused(lender, _("its answer holds no access key and secret key as JSON"))
    if ends is not None and ends <= datetime.now(UTC):
        why = _("its keys ended at {ends}; check this machine's clock", ends=f"{ends:%Y-%m-%d %H:%M:%S} UTC")
        raise _refused(lender, why)
    if ends is None and untold is not None:
        ends = datetime.now(UTC) + untold
    return Keys(**{name: Secret(value) for name, value in found.items()}, ends=ends)


def _moment(text: str, lender: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(lender, _("the end of its keys is no time as of ISO 8601")) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _metadata() -> str:
    return _("The metadata service of this server")


def _command() -> str:
    return _("The command of credential_process")


def _refused(lender: str, why: str, status: int = 401) -> AuthenticationError:
    said = _("{lender} lends no keys: {why}.", lender=lender, why=why)
    return AuthenticationError(said, method="GET", path=_KEY_PATH, status=status)
