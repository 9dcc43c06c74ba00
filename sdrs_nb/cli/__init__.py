"""The command line ``sdrs-nb``: parse, call the stages, print, answer with an exit code.

Exit codes: 0 done, 1 something failed, 2 bad usage or input, 3 nothing eligible, 4 outcome still unknown.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code; every error is one sentence on the standard error.

    The language is chosen before the commands are imported, so that their help is in it too.
    """
    from sdrs_nb.cli import streams
    from sdrs_nb.i18n.choosing import set_language

    streams.secure()
    if language := _asked_language(sys.argv[1:]):
        set_language(language)
    from sdrs_nb.cli import leaving
    from sdrs_nb.cli.commands import app

    try:
        # Not standalone: typer would then print usage errors itself, over several lines.
        left = app(prog_name="sdrs-nb", standalone_mode=False)
        code = left if isinstance(left, int) else leaving.DONE
    except leaving.EXPECTED as error:
        code = leaving.explained(error)
    sys.exit(streams.settled(code, leaving.FAILED))


def _asked_language(words: list[str]) -> str | None:
    for at, word in enumerate(words):
        if word == "--lang" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
    return None
