"""What a public function was asked with: a wrong option or kind of value is one sentence, before anything is done.

``checked`` goes on what ``sdrs_nb`` exports.  It reads the annotations, which are what the documentation shows, so the
two cannot differ; what a value means is still the function's own business.
"""

import collections.abc
import contextlib
import difflib
import functools
import inspect
import math
import os
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar, cast

from sdrs_nb.errors import SettingsError

__all__ = ["checked", "needs_columns"]

P = ParamSpec("P")
R = TypeVar("R")

_ANY = (Any, object, inspect.Parameter.empty)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` so that it refuses unknown options and values of the wrong kind with ``SettingsError``."""
    signature = inspect.signature(function)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: P.args, **options: P.kwargs) -> Any:
            _refuse(function, signature, args, options)
            return await function(*args, **options)

        return cast("Callable[P, R]", awaited)

    @functools.wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> R:
        _refuse(function, signature, args, options)
        return function(*args, **options)

    return called


def needs_columns(frame: Any, *names: str) -> None:
    """Refuse a frame that lacks any of these columns.

    Raises
    ------
    SettingsError
        Names what is missing.
    """
    from sdrs_nb.i18n import _  # which is checked by this module itself

    if missing := [name for name in names if name not in frame]:
        raise SettingsError(_("The frame has no column {names}.", names=", ".join(missing)))


def _refuse(
    function: Callable[..., object],
    signature: inspect.Signature,
    args: tuple[object, ...],
    options: Mapping[str, object],
) -> None:
    from sdrs_nb.i18n import _

    known = list(signature.parameters)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    if strange := [] if takes_any else sorted(set(options) - set(known)):
        close = difflib.get_close_matches(strange[0], known, n=1)
        raise SettingsError(
            _(
                "{function}() has no option {option}. Use {known}.",
                function=_name(function),
                option=strange[0],
                known=close[0] if close else ", ".join(known),
            )
        )
    try:
        given = signature.bind(*args, **options).arguments
    except TypeError:
        return  # Python says best which argument is missing or too much
    for name, value in given.items():
        if inspect.iscoroutine(value):
            value.close()
            raise SettingsError(
                _(
                    "{function}() got a call as {name} that was not awaited. Write await in front of that call.",
                    function=_name(function),
                    name=name,
                )
            )
        parameter = signature.parameters[name]
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or value is parameter.default:
            continue
        hint = _resolved(parameter.annotation, function)
        if not _fits(value, hint):
            is_nan = isinstance(value, float) and math.isnan(value)
            raise SettingsError(
                _(
                    "{function}() takes {wanted} as {name}, not {given}.",
                    function=_name(function),
                    wanted=_said(hint),
                    name=name,
                    given="NaN" if is_nan else type(value).__name__,
                )
            )


def _name(function: Callable[..., object]) -> str:
    return function.__qualname__.removesuffix(".__init__")


def _resolved(hint: Any, function: Callable[..., object]) -> Any:
    """Return an annotation as an object; one that only a type checker can resolve stays text."""
    if not isinstance(hint, str):
        return hint
    for text in (hint, re.sub(r"\[[^\[\]]*\]", "", hint)):  # pandas' classes take no [] when the program runs
        with contextlib.suppress(NameError, TypeError):
            return eval(text, inspect.unwrap(function).__globals__)  # noqa: S307 - an annotation of ours
    return hint


def _said(hint: Any) -> str:
    text = inspect.formatannotation(hint) if not isinstance(hint, str) else hint
    parts = [part.rpartition(".")[2] if "[" not in part else part for part in text.replace("'", "").split(" | ")]
    return " | ".join(parts).replace("collections.abc.", "").replace("sdrs_nb.", "").replace("typing.", "")


def _is_cloud(value: Any, names: Collection[str]) -> bool:
    """Tell whether a cloud is wanted and ``value`` can stand for one; whoever has the calls of one may."""
    return "Cloud" in names and hasattr(value, "sdrs")


def _fits(value: Any, hint: Any) -> bool:  # noqa: C901, PLR0911, PLR0912 - a line a kind of annotation
    if isinstance(hint, str):  # a class that only a type checker imports, or several
        names = {part.strip().rpartition(".")[2].partition("[")[0] for part in hint.split("|")}
        return (
            _is_cloud(value, names)
            or (value is None and "None" in names)
            or bool(names & {each.__name__ for each in type(value).__mro__})
        )
    if isinstance(hint, typing.ForwardRef):
        return _fits(value, hint.__forward_arg__)
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint is None or hint is types.NoneType:
        return value is None
    if hint in _ANY or isinstance(hint, TypeVar):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, each) for each in inside)
    if origin is typing.Annotated:
        return _fits(value, inside[0])
    if origin is typing.Literal:
        return any(isinstance(value, type(each)) for each in inside)
    if hint is bool:
        return type(value).__name__ in {"bool", "bool_"}
    if hint in (int, float):
        is_number = type(value) is not bool and isinstance(value, Integral if hint is int else Real)
        return is_number and not math.isnan(float(value))
    if origin is collections.abc.Callable or hint is Callable:
        return callable(value)
    kind = origin or hint
    if _is_cloud(value, {getattr(kind, "__name__", "")}):
        return True
    if kind in (typing.IO, typing.TextIO):
        return hasattr(value, "write")
    if not isinstance(kind, type):
        return True
    if getattr(kind, "_is_protocol", False):
        names = {name for each in kind.__mro__ for name in vars(each) if not name.startswith("_")}
        # Asked of the class first: a property of an eligibility renders a million sentences.
        return all(hasattr(type(value), name) or hasattr(value, name) for name in names)
    if issubclass(kind, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, inside[0]) and _fits(one, inside[1]) for key, one in value.items() if inside
        )
    if issubclass(kind, Iterable) and kind.__module__ in {"collections.abc", "builtins"} and kind not in (str, bytes):
        # One text where a list belongs is told better by whoever knows what the list is of.
        if isinstance(value, str):
            return not inside or _fits(value, inside[0])
        if not isinstance(value, Iterable) or isinstance(value, bytes) or hasattr(value, "columns"):
            return False
        items = value if isinstance(value, Collection) else ()
        return not inside or all(_fits(item, inside[0]) for item in items)
    if issubclass(kind, Enum):
        return isinstance(value, kind | str)
    if issubclass(kind, os.PathLike):
        return isinstance(value, os.PathLike)
    return isinstance(value, kind)
