"""JSON and YAML to plain values: nothing in a document can exhaust memory, the stack or a number's digits.

What a document is refused for is an ``IntakeError`` with a sentence; which values it must hold is the caller's model.
"""

import json
from typing import Any

import yaml

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import IntakeError, Limits, limits, raisable

__all__ = ["TooManyAliasesError", "json_of", "jsons_of", "yaml_of"]


def json_of(text: str, *, is_strict: bool = True, bounds: Limits | None = None) -> Any:
    """Return the value in a JSON text.

    ``is_strict``: NaN is refused and half a surrogate pair too; otherwise NaN is None, and texts stay as they are.
    ``bounds``: those in force, from a caller who reads many texts.

    Raises
    ------
    IntakeError
        It is no JSON, nests or holds more than the bounds, or an object names one key twice.
    """
    bounds = bounds or limits()
    containers = text.count("{") + text.count("[")
    if containers > bounds.json_containers:
        raise IntakeError(
            _(
                "There are more than {limit} objects and lists; split the file or raise {setting}.",
                limit=bounds.json_containers,
                setting=raisable("json_containers"),
            )
        )
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refused_constant if is_strict else _missing_constant
        )
    except RecursionError:
        raise _too_deep(bounds.json_depth) from None
    except IntakeError:
        raise
    except ValueError as error:
        # The number itself would fill the screen.
        told = _("a number has too many digits") if "digits" in str(error) else str(error)
        raise IntakeError(_("This is not JSON: {error}", error=told)) from None
    if containers > bounds.json_depth:
        _require_flat(value, bounds.json_depth)
    if is_strict and "\\u" in text:
        _require_characters(value)
    return value


def jsons_of(text: str) -> list[Any]:
    """Return the values of JSON texts that stand one after the other, as two answers saved into one file do.

    Bounds and errors as of ``json_of``, NaN is None; text after the last value is an error too.
    """
    bounds = limits()
    found: list[Any] = []
    decoder = json.JSONDecoder()
    at = 0
    while text[at:].strip():
        at += len(text) - at - len(text[at:].lstrip())
        try:
            _value, end = decoder.raw_decode(text, at)
        except RecursionError:
            raise _too_deep(bounds.json_depth) from None
        except ValueError as error:
            told = _("a number has too many digits") if "digits" in str(error) else str(error)
            raise IntakeError(_("This is not JSON: {error}", error=told)) from None
        if len(found) == bounds.json_texts:
            raise IntakeError(
                _(
                    "There are more than {limit} JSON texts; write one a line (JSON lines) or raise {setting}.",
                    limit=bounds.json_texts,
                    setting=raisable("json_texts"),
                )
            )
        found.append(json_of(text[at:end], is_strict=False, bounds=bounds))
        at = end
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add gives None
        raise IntakeError(_("An object names {key} twice; keep one.", key=repr(twice[:60])))
    return found


def _refused_constant(word: str) -> None:
    raise IntakeError(_("This is not JSON: {error}", error=word))


def _missing_constant(word: str) -> None:
    # pandas and Python write a missing number so.
    if word != "NaN":
        _refused_constant(word)


def _too_deep(most: int) -> IntakeError:
    return IntakeError(
        _("Lists and objects stand more than {limit} deep in one another; this is no file of servers.", limit=most)
    )


def _require_flat(value: object, most: int) -> None:
    """Raise ``IntakeError`` where lists and objects nest deeper than ``most``; walks without recursion."""
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _depth in range(most):
        level = [
            child
            for each in level
            for child in (each.values() if each.__class__ is dict else each)
            if child.__class__ is dict or child.__class__ is list
        ]
        if not level:
            return
    raise _too_deep(most)


def _require_characters(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise IntakeError(_("A text holds half a character (a lone surrogate); remove it.")) from None


def yaml_of(text: str) -> Any:
    """Return the value in a YAML text, aliases and merges resolved.

    Raises
    ------
    IntakeError
        It is no YAML, or aliases make more of it than the bound.  The message quotes nothing: a line may be a secret.
    """
    refused = IntakeError(_("This is not YAML."))
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _require_small(node)
        return loader.construct_document(node)
    except IntakeError:
        raise
    # The library's constructors raise whatever a wrong value makes them stumble over: !!int "", !!timestamp x.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError):
        raise refused from None


class TooManyAliasesError(IntakeError):
    """Aliases lead in a circle, or make too much of a small file."""


def _require_small(root: yaml.Node) -> None:
    """Raise where the nodes under ``root``, with every alias written out, are more than the bound."""
    most = limits().yaml_nodes
    too_much = TooManyAliasesError(
        _("Aliases make more than {limit} values of this YAML; write out what is meant.", limit=most)
    )
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, is_left = stack.pop()
        children = _children(node)
        if is_left:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > most:
                raise too_much
        elif id(node) in open_nodes:
            raise too_much
        elif id(node) not in sizes:
            open_nodes.add(id(node))
            stack.append((node, True))
            stack += [(child, False) for child in children]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
