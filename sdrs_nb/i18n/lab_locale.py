"""The language that the operator chose in JupyterLab (Settings > Language), as far as a kernel can know it.

JupyterLab does not tell kernels; it keeps the choice in its settings folder, which a kernel on the same machine can
read.  A kernel elsewhere finds nothing there, and the environment decides as in any other program.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["lab_locale"]

#: Jupyter's server gives it to every kernel that it starts for a notebook.
_OF_A_NOTEBOOK = "JPY_SESSION_NAME"
#: The file holds one word; json5 takes a second for 100 kB.  ``intake`` is not asked: its sentences need a language.
_MOST = 2**16
_SETTINGS = Path("@jupyterlab", "translation-extension", "plugin.jupyterlab-settings")


def lab_locale() -> str | None:
    """Return the locale JupyterLab is set to, such as ``"zh_CN"``.

    None outside a notebook's kernel, where nothing was chosen (``default``), or where the settings cannot be read.
    The file is read once in a process, so that a text costs no look at the disk: restart the kernel after a change.
    """
    if _OF_A_NOTEBOOK not in os.environ:
        return None
    return _chosen_in(os.environ.get("JUPYTERLAB_SETTINGS_DIR"), os.environ.get("JUPYTER_CONFIG_DIR"))


@cache
def _chosen_in(settings_folder: str | None, _config_folder: str | None) -> str | None:
    # The second is only part of the key: jupyter_core looks at it itself.
    folder = Path(settings_folder) if settings_folder else _default_folder()
    settings = _read(folder / _SETTINGS) if folder else None
    locale = settings.get("locale") if isinstance(settings, dict) else None
    return locale if isinstance(locale, str) and locale != "default" else None


def _default_folder() -> Path | None:
    try:
        from jupyter_core.paths import jupyter_config_dir
    except ImportError:
        return None
    return Path(jupyter_config_dir(), "lab", "user-settings")


def _read(path: Path) -> Any:
    try:
        # JupyterLab writes its settings with comments.
        import json5

        text = path.read_bytes() if path.is_file() and path.stat().st_size <= _MOST else b"null"
        return json5.loads(text.decode())
    except (ImportError, OSError, ValueError, RecursionError):
        return None
