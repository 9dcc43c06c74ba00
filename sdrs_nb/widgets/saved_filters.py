"""Filters of the inventory that an operator keeps by a name of their own, in a small JSON file beside the ledger."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdrs_nb.errors import SettingsError
from sdrs_nb.home import home_folder
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import json_of
from sdrs_nb.intake.files import read_file
from sdrs_nb.shown.disk import private_file, private_folder, write_whole
from sdrs_nb.shown.texts import json_text

__all__ = ["keep_filter", "saved_filters"]


def _file() -> Path:
    return home_folder() / "filters.json"


def saved_filters() -> dict[str, dict[str, Any]]:
    """Return the filters kept so far by name: ``{"search": ..., "filters": ...}``; none when there is no file.

    A file that cannot be read counts as empty: filters can be made again, and must not keep anybody from the job.
    """
    try:
        kept = json_of(read_file(_file(), "settings_bytes").decode())
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {str(name): dict(one) for name, one in kept.items() if isinstance(one, dict)}


def keep_filter(name: str, chosen: Mapping[str, Any] | None) -> None:
    """Keep ``chosen`` under ``name``, or forget that name when it is None.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    kept = saved_filters()
    if chosen is None:
        kept.pop(name, None)
    else:
        kept[name] = dict(chosen)
    path = _file()
    try:
        private_folder(path.parent)
        private_file(path)
        write_whole(path, json_text(kept, indent=1).encode())
        private_file(path)
    except OSError as error:
        raise SettingsError(
            _("The filter was not kept in {path}: {reason}.", path=path, reason=error.strerror)
        ) from error
