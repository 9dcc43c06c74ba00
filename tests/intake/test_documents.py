"""JSON and YAML at the door: what would exhaust memory, stack or digits is refused in a sentence."""

import pytest

from sdrs_nb.intake.documents import json_of, yaml_of
from sdrs_nb.intake.limits import IntakeError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 65 + "]" * 65, "more than 64 deep"),
        ('{"a":' * 65 + "1" + "}" * 65, "more than 64 deep"),
        ("[" * 100_000, "deep"),
        ("[" * 100_000 + "]" * 100_000, "deep"),
        ("1" * 5000, "too many digits"),
        ('{"a": 1, "b": 2, "a": 3}', "names 'a' twice"),
        ('[{"x": {"k": 1, "k": 1}}]', "names 'k' twice"),
        ("[NaN]", "NaN"),
        ("[Infinity]", "Infinity"),
        ("[-Infinity]", "-Infinity"),
        (r'["\ud800"]', "lone surrogate"),
        (r'{"\udfff": 1}', "lone surrogate"),
    ],
)
def test_json_that_is_refused(text, told):
    """Each ends in a sentence, none in an error of the library's own."""
    with pytest.raises(IntakeError, match=told) as refused:
        json_of(text)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[" * 64 + "]" * 64, None),
        (r'["\ud83d\ude00", "\u0000"]', ["😀", "\0"]),
        ('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
    ],
    ids=["as deep as the bound", "an escaped pair", "plain"],
)
def test_json_that_is_read(text, value):
    """What is at the bound is within it."""
    read = json_of(text)

    assert value is None or read == value


def test_lenient_json_takes_a_missing_number_for_missing():
    """Python and pandas write NaN; infinity is no value in any file."""
    assert json_of('[NaN, "\\ud800"]', is_strict=False) == [None, "\ud800"]
    with pytest.raises(IntakeError):
        json_of("[Infinity]", is_strict=False)


def test_too_many_objects_are_refused_before_they_are_made(monkeypatch):
    """Brackets are counted in the text."""
    monkeypatch.setenv("SDRS_NB_LIMIT_JSON_CONTAINERS", "3")

    assert json_of("[[], []]") == [[], []]
    with pytest.raises(IntakeError, match=r"more than 3 objects and lists.*SDRS_NB_LIMIT_JSON_CONTAINERS"):
        json_of("[[], [], []]")


LAUGHS = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
MERGES = "a0: &a0 {x: 1}\n" + "\n".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], y{n}: 1}}" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        MERGES,
        "&a [*a]",
        "a: &a {b: *a}",
        "[" * 20_000,
        "a: !!int ''",
        "a: !!timestamp x",
        "a: 2024-99-99",
        "a: 0b_",
        "? [a]\n: 1",
        "a: !!python/object:os.system {}",
        "a: *nobody",
        "a: " + "1" * 5000,
        "a: b: c",
        "\0",
    ],
    ids=["laughs", "merges", "circle", "circle of keys", "deep", "int", "timestamp", "date", "binary", "key", "object",
         "unknown alias", "digits", "nesting", "NUL"],
)  # fmt: skip
def test_yaml_that_is_refused(text):
    """Bombs of aliases, circles, depth and values that the library stumbles over end in one kind of error."""
    with pytest.raises(IntakeError):
        yaml_of(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("base: &b {x: 1}\nc: {<<: *b, y: 2}", {"base": {"x": 1}, "c": {"x": 1, "y": 2}})],
    ids=["empty", "a merge"],
)
def test_yaml_that_is_read(text, value):
    """Anchors are what people use them for."""
    assert yaml_of(text) == value
