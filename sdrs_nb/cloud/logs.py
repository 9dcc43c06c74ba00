"""What the libraries beneath us may log: nothing of a header, where tokens and signatures are.

httpcore writes the headers of every answer at level DEBUG, and an issued token is one of them; httpx writes addresses
at level INFO, one of which ends in an access key.  Their records pass through here before any handler sees them.
"""

import logging
import re

__all__ = ["LOGGERS", "quieten_libraries"]

#: Loggers of the libraries that see requests and answers; filters of a logger do not hold for those below it.
LOGGERS = (
    "httpx",
    *(f"httpcore.{part}" for part in ("connection", "connection_pool", "http11", "http2", "proxy", "socks")),
)
_RETURNED = re.compile(r"return_value=.*", re.DOTALL)
_KEY = re.compile(r"(/OS-CREDENTIAL/credentials/)[^/?\s\"]+")


class _WithoutSecrets(logging.Filter):
    """Cuts out of a record what calls returned, and access keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg = _KEY.sub(r"\1...", _RETURNED.sub("return_value=(not logged)", record.getMessage()))
        record.args = ()
        return True


_FILTER = _WithoutSecrets()


def quieten_libraries() -> None:
    """Filter what the HTTP libraries log, and keep "retry scheduled" off stderr; calling it again does nothing.

    Python prints a warning there when nobody has set logging up.
    """
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
    log = logging.getLogger("stamina")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
