"""One table of what is assumed, and code and table that say the same."""

import ast
import re
import tokenize
from pathlib import Path

import sdrs_nb
from sdrs_nb.rulebook import load_assumptions, load_rulebook
from sdrs_nb.sandbox.switches import SWITCHES

PACKAGE = Path(sdrs_nb.__file__).parent
MARK = re.compile(r"ASSUMED: ([a-z_]+(?:, [a-z_]+)*)")
#: Texts that speak of rules as assumed, by the rules' own mark.
SPEAKING = {"rulebook/page.py"}


def comments(path):
    """The comments and docstrings of a module, or all of a data file."""
    if path.suffix == ".toml":
        yield from (line.partition("#")[2] for line in path.read_text(encoding="utf-8").splitlines())
        return
    with path.open("rb") as file:
        yield from (token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield re.sub(r"\s+", " ", ast.get_docstring(node) or "")


def marks():
    """Every mark in the package: the file, and what follows the word."""
    files = [path for kind in ("py", "toml") for path in PACKAGE.rglob(f"*.{kind}")]
    for path in sorted(files):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in SPEAKING and path.name != "assumptions.toml":
            for text in comments(path):
                yield from ((name, text[at.start() : at.start() + 80]) for at in re.finditer("ASSUMED", text))


def test_each_mark_in_the_code_names_an_assumption_and_each_assumption_is_marked():
    """Whoever reads a choice finds its entry; an entry without a place in the code is about nothing."""
    named = [(name, text, MARK.match(text)) for name, text in marks()]
    ids = {each for _name, _text, found in named if found for each in found[1].split(", ")}
    rules = {rule.id for rule in load_rulebook().rules.values() if rule.assumed}

    assert [(name, text) for name, text, found in named if found is None] == []
    assert ids == set(load_assumptions()) - rules
    assert rules <= set(load_assumptions())


def test_an_assumption_is_a_sentence_in_both_languages_and_touches_what_there_is():
    """Rules by their ids; every other word is for people."""
    rules = set(load_rulebook().rules)
    for one in load_assumptions().values():
        assert one.en.strip()
        assert re.search("[\u4e00-\u9fff]", one.zh)
        assert one.touches
        assert {each for each in one.touches if re.fullmatch("[A-Z][0-9]+", each)} <= rules


def test_a_switch_of_the_sandbox_plays_one_assumption():
    """Each switch has its entry under the same name; an entry names the switch that there is."""
    table = load_assumptions()

    assert set(SWITCHES) <= set(table)
    assert {one.switch for one in table.values() if one.switch} == set(SWITCHES)
    assert {name: table[name].switch for name in SWITCHES} == {name: name for name in SWITCHES}
