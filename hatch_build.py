"""What building the package makes: the compiled message catalogues, for a wheel and for an editable install."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    """Compile every ``.po`` file to a ``.mo`` file beside it; those are generated, so never committed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Compile before files are collected, and have them collected although git ignores them."""
        for source in Path(self.root).glob("sdrs_nb/locale/*/LC_MESSAGES/*.po"):
            with source.open("rb") as read, source.with_suffix(".mo").open("wb") as written:
                write_mo(written, read_po(read, locale=source.parent.parent.name))
        build_data["artifacts"].append("/sdrs_nb/locale/**/*.mo")
