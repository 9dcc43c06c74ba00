"""Bytes to text: what the bytes say for themselves, else the encoding whose text looks like words of a language.

A wrong guess would put mojibake into names, so where two encodings look alike and give two texts, the person is asked.
"""

import codecs
import re
import unicodedata

from sdrs_nb.i18n import _
from sdrs_nb.inventory.headings import is_known
from sdrs_nb.inventory.notes import Note, Remarks

__all__ = ["decoded"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Tried in this order; of equal texts the first counts.  Names as people know them.
_GUESSES = {
    "gb18030": "GB18030 (Chinese)",
    "cp1252": "Windows-1252 (Western European)",
    "big5": "Big5 (Traditional Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "cp949": "CP949 (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1250": "Windows-1250 (Central European)",
    "mac_roman": "Mac Roman",
    "cp850": "CP850 (DOS)",
}
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KANA = re.compile("[\u3040-\u30fa\u30fc-\u30ff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_FULL = re.compile("[\u3000-\u3011\uff01-\uff5e]")
_CJK = re.compile("[\u4e00-\u9fff]")
#: Where the usual characters of a double-byte encoding begin and end, by their first byte.
_USUAL = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6), "cp932": ("cp932", 0x88, 0x97)}
#: The least that a text must look like words, and the least by which it must look so more than another one.
_GOOD, _AHEAD = 0.6, 0.15
_SAMPLE = 4000
_FIRST_OF_STANDARD = 0xA1


def decoded(data: bytes, name: str, remarks: Remarks) -> str | None:
    """Return the text of a file, None where it cannot be told; the encoding is noted where it is not UTF-8."""
    if remarks.encoding:
        try:
            return data.decode(remarks.encoding).lstrip("\ufeff")
        except (UnicodeDecodeError, LookupError):
            told = _("The text is not {encoding}; name another encoding.", encoding=remarks.encoding)
            remarks.problem(name, told)
            return None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding != "utf-8-sig":
                remarks.note(Note(name, "read as", after=encoding.upper()))
            return data.decode(encoding, "replace")
    if wide := _without_mark(data):
        encoding, text = wide
        remarks.note(Note(name, "read as", after=encoding.upper()))
        return text
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _guessed(data, name, remarks)


def _without_mark(data: bytes) -> tuple[str, str] | None:
    """Return UTF-16 text that lacks its mark: every other byte of its ASCII characters is zero."""
    even, odd = data[0:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if len(data) % 2 or max(even, odd) * 5 < min(len(data), _SAMPLE) // 2 or min(even, odd) * 10 > max(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        return encoding, data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _guessed(data: bytes, name: str, remarks: Remarks) -> str | None:
    texts: dict[str, str] = {}
    for encoding in _GUESSES:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text not in texts.values():
            texts[encoding] = text
    marks = {encoding: _likeness(text, encoding) for encoding, text in texts.items()}
    ranked = sorted(marks, key=lambda encoding: -marks[encoding])
    if ranked and marks[ranked[0]] >= _GOOD:
        rivals = [each for each in ranked[1:] if marks[each] >= max(_GOOD, marks[ranked[0]] - _AHEAD)]
        if not rivals:
            remarks.note(Note(name, "read as", after=_GUESSES[ranked[0]]))
            return texts[ranked[0]]
        either = [ranked[0], *rivals]
    else:
        either = []
    told = (
        _(
            "The text may be {encodings}; save the file as UTF-8, or say which it is, as in encoding={first}.",
            encodings=_(" or ").join(_GUESSES[each] for each in either),
            first=repr(either[0]),
        )
        if either
        else _("The text is in no encoding that can be told; save the file as UTF-8, or name its encoding.")
    )
    remarks.problem(name, told)
    return None


def _likeness(text: str, encoding: str) -> float:
    """Return from 0 to 1 (and above 1 for headings that we know) how much the text looks like words."""
    heads = re.split(r"[,;\t|\r\n\"]", text[:_SAMPLE].lstrip())[:40]
    if any(is_known(head) for head in heads if head and not head.isascii()):
        return 2.0
    places = [at for at, sign in enumerate(text) if not sign.isascii()][:_SAMPLE]
    return sum(_plausible(text, at, encoding) for at in places) / len(places) if places else 0.0


def _plausible(text: str, at: int, encoding: str) -> float:  # noqa: PLR0911 - a return a script, read from above
    sign = text[at]
    if encoding in _USUAL and (_CJK.match(sign) or _FULL.match(sign) or _KANA.match(sign)):
        charset, first, last = _USUAL[encoding]
        try:
            lead = sign.encode(charset)[0]
        except UnicodeEncodeError:
            return 0.0
        if _CJK.match(sign):
            return 1.0 if first <= lead <= last else 0.2
        return 1.0 if encoding == "cp932" or _FULL.match(sign) else 0.3
    if encoding == "cp949":
        # The everyday syllables alone: their second byte is that of the older standard.
        return float(bool(_HANGUL.match(sign)) and sign.encode("cp949")[-1] >= _FIRST_OF_STANDARD)
    if encoding in _USUAL or not unicodedata.category(sign).startswith("L"):
        return 0.5 if encoding not in _USUAL and sign in "–—’“”€°´§\u00a0" else 0.0
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if bool(_CYRILLIC.match(sign)) != (encoding == "cp1251"):
        return 0.0
    if encoding == "cp1251":
        is_whole = bool(_CYRILLIC.match(before) or _CYRILLIC.match(after))
        return 1.0 if is_whole and (sign.islower() or not before.islower()) else 0.1
    is_in_word = (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())
    fits = sign.islower() or not (before.isalpha() and before.islower())
    return 1.0 if is_in_word and fits and sign not in "ªºµƒ" else 0.1
