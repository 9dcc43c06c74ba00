"""What a secret is here: a value without a text form, opened only where a request is made.

``cloud.authentication`` is the one module that opens it, for a signature, a header or the request for a token; a test
holds the rest of the package to that.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from pydantic import SecretStr

from sdrs_nb.errors import SdrsError

__all__ = ["Secret", "is_header_value", "is_text", "looks_like_a_key", "with_no_trace"]

Given = ParamSpec("Given")
Made = TypeVar("Made")
# An access key's 20 capitals and digits, a secret key's 40 letters and digits: no region and no id looks like them.
_KEY = re.compile(r"[A-Z0-9]{20}|[A-Za-z0-9]{40}")


class Secret(SecretStr):
    """A key, a password or a token: masked wherever it is shown or dumped, and never pickled."""

    def __reduce__(self) -> NoReturn:
        """Refuse to be written by pickle, which would write the value."""
        raise TypeError("a secret cannot be pickled")


def is_header_value(text: str) -> bool:
    """Tell whether a key or a token can stand in a header: visible ASCII in one piece, as all clouds make them."""
    return text.isascii() and text.isprintable() and not any(sign.isspace() for sign in text)


def is_text(text: str) -> bool:
    """Tell whether every character can be sent and read: no control, no line break, no half of a surrogate pair."""
    return all(sign == "\t" or unicodedata.category(sign) == "Zs" or sign.isprintable() for sign in text)


def looks_like_a_key(text: str) -> bool:
    """Tell whether ``text`` has the shape of an access key or a secret key, as the cloud makes them."""
    return _KEY.fullmatch(text.strip()) is not None


def with_no_trace(make: Callable[Given, Made]) -> Callable[Given, Made]:
    """Return ``make`` with errors that begin at its caller: variables of its frames hold what it was given.

    IPython's ``%xmode Verbose``, and whatever else shows variables beside a traceback, would show secrets.
    """

    @wraps(make)
    def made(*args: Given.args, **named: Given.kwargs) -> Made:
        try:
            return make(*args, **named)
        except (SdrsError, TypeError, ValueError) as error:  # what settings can be wrong in
            refused = error.with_traceback(None)
        del args, named
        refused.__cause__ = refused.__context__ = None
        try:
            raise refused
        finally:
            del refused

    return made
