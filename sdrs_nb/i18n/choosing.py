"""The operator's choice of a language."""

from sdrs_nb.asked import checked
from sdrs_nb.i18n import choose

__all__ = ["set_language"]


@checked
def set_language(language: str | None) -> None:
    """Choose the language of every message from now on, in every thread.

    What is on the screen already keeps its language until it is drawn again.

    Parameters
    ----------
    language
        A tag such as ``"en"``, ``"zh"``, ``"zh-CN"`` or ``"zh_CN"``; an unknown one means English.  None goes back
        to what is found: ``SDRS_NB_LANG``, the language JupyterLab is set to, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``.

    Raises
    ------
    SettingsError
        The language is no text.
    """
    choose(language)
