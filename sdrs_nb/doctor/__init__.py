"""Does this tool fit this cloud and these credentials?  Asked before anything is sent, and by reading alone."""

import inspect
import sys
from types import ModuleType
from typing import Any

from sdrs_nb.doctor.examining import doctor
from sdrs_nb.doctor.findings import Diagnosis

__all__ = ["Diagnosis", "doctor"]


class _Callable(ModuleType):
    """A module that is called like the function it is named after.

    ``sdrs_nb.doctor`` is the function until this package is imported: from then on Python finds the package there.
    """

    def __call__(self, *args: Any, **options: Any) -> Any:
        return doctor(*args, **options)


sys.modules[__name__].__class__ = _Callable
__signature__ = inspect.signature(doctor)  # what is shown of it, and asked of it, is the function's
