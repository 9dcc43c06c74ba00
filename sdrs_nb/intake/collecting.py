"""Making many objects at once without Python looking through all of them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collection"]


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector from running meanwhile.

    Plans of a large estate are made of some hundred thousand small objects of which none is garbage; looking through
    them again and again, with the whole inventory beside them, took a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
