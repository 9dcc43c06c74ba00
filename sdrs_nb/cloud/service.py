"""What every service's module shares: a session, and how one object is taken out of an answer."""

from typing import Any

from sdrs_nb.cloud.session import Session
from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _

__all__ = ["Service", "unwrap"]


class Service:
    """Calls of one service, made through one session; one method an endpoint, documents in and out."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def unwrap(document: Any, key: str) -> dict[str, Any]:
    """Return the object under ``key``; ``CloudError`` when something else than the service answered."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise CloudError(
            _("The cloud answered without {key}; check that the endpoint is the cloud's.", key=key),
            method="GET",
            path="",
            status=200,
        )
    return value
