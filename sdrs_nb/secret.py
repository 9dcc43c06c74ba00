"""What a secret is here: a value without a text form, opened only where a request is made.

``cloud.authentication`` is the one module that opens it, for a signature, a header or the request for a token; a test
holds the rest of the package to that.
"""

import unicodedata
from typing import NoReturn

from pydantic import SecretStr

__all__ = ["Secret", "is_header_value", "is_text"]


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
