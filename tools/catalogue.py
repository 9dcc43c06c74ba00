"""Bring the message catalogues up to the source, or say that they are not.

``python tools/catalogue.py`` extracts every message of the package and every text of the runbooks, adds what is new
(empty, to be translated) to each ``.po`` file under ``sdrs_nb/locale``, drops what the source no longer says, compiles
the ``.mo`` files and prints what still lacks a translation.  ``--check`` changes nothing.  Either way the exit code is
1 where a catalogue is not complete.
"""

import argparse
import io
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from sdrs_nb.runbooks.texts import translated

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "sdrs_nb" / "locale"
#: Functions whose literal arguments are messages, as Babel wants them said.
KEYWORDS = {"_": None, "ngettext_": (1, 2)}

# Nothing that changes by itself (dates, places, versions) is written, so that a difference is always a message.
_HEADER = """\
# Messages of {domain}. Keys and order are made by tools/catalogue.py; write the msgstr lines only.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms};\\n"

"""
_WIDTH = 120


def extracted() -> Catalog:
    """Return every message of the sources that ``[[tool.babel.mappings]]`` of pyproject.toml names."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    found = Catalog()
    for _file, _line, message, _comments, context in extract_from_dir(
        ROOT / "sdrs_nb", method_map=methods, keywords=KEYWORDS
    ):
        found.add(message, context=context)
    return found


def prose() -> Catalog:
    """Return every text of the runbooks in ``notebooks``."""
    found = Catalog()

    def collected(text: str) -> str:
        found.add(text)
        return text

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        translated(json.loads(path.read_text(encoding="utf-8")), collected)
    return found


#: What gives the messages of each domain.
DOMAINS: dict[str, Callable[[], Catalog]] = {"sdrs_nb": extracted, "runbooks": prose}


def catalogues(domain: str) -> dict[str, Path]:
    """Return the ``.po`` file of a domain for each language other than English."""
    return {path.parent.parent.name: path for path in sorted(LOCALE.glob(f"*/LC_MESSAGES/{domain}.po"))}


def read(language: str, path: Path) -> Catalog:
    """Return the catalogue in ``path``."""
    with path.open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalogue: Catalog) -> list[Message]:
    """Return the messages that have no translation, or a guessed one."""
    return [one for one in catalogue if one.id and (one.fuzzy or not all(strings(one.string)))]


def differences(catalogue: Catalog, source: Catalog) -> Iterator[str]:
    """Yield a line for each message that ``catalogue`` lacks, has no translation of, or need not have."""
    here, there = ({one.id for one in each if one.id} for each in (catalogue, source))
    yield from (f"missing: {_shown(one)}" for one in sorted(there - here, key=str))
    yield from (f"stale: {_shown(one)}" for one in sorted(here - there, key=str))
    yield from (f"not translated: {_shown(one.id)}" for one in untranslated(catalogue) if one.id in there)


def update(language: str, path: Path, source: Catalog) -> None:
    """Write ``path`` anew: the messages of ``source``, sorted, with the translations that are there."""
    catalogue = read(language, path)
    catalogue.update(source, no_fuzzy_matching=True)
    written = io.BytesIO()
    write_po(
        written, catalogue, width=_WIDTH, sort_output=True, no_location=True, omit_header=True, ignore_obsolete=True
    )
    header = _HEADER.format(domain=path.stem, language=language, plural_forms=catalogue.plural_forms.rstrip(";"))
    path.write_bytes(header.encode() + written.getvalue().lstrip())


def compile_(language: str, path: Path) -> None:
    """Write the ``.mo`` file beside ``path``, as the build does (hatch_build.py)."""
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, read(language, path))


def main() -> int:
    """Do what the command line asks; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    changes_nothing = parser.parse_args().check
    told = []
    for domain, messages in DOMAINS.items():
        source = messages()
        for language, path in catalogues(domain).items():
            if not changes_nothing:
                update(language, path, source)
                compile_(language, path)
            told += [f"{language}: {line}" for line in differences(read(language, path), source)]
    sys.stdout.writelines(f"{line}\n" for line in told)
    return 1 if told else 0


def strings(texts: str | Sequence[str] | None) -> Sequence[str]:
    """Return the text of a message, or each of its forms, as a sequence."""
    return [texts or ""] if isinstance(texts, str | None) else texts


def _shown(key: str | Sequence[str]) -> str:
    return repr(strings(key)[0])


if __name__ == "__main__":
    sys.exit(main())
