"""Words of consoles, tools and people for what the service says in one word of its own; none of them is ours to invent.

Each function takes a text and gives the service's word, None for "nothing", or ``UNREADABLE``.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sdrs_nb import statuses
from sdrs_nb.tables import STR, TIME, Table

__all__ = ["UNREADABLE", "is_total", "reader_of"]

#: What is in a cell cannot be told; the cell counts as not read.
UNREADABLE = object()

Reader = Callable[[str], object]

#: Cells that say that there is nothing; in names a server may be called so.
_NOTHING = frozenset(
    (
        "none",
        "null",
        "nil",
        "n/a",
        "#n/a",
        "nan",
        "na",
        "nat",
        "<na>",
        "<null>",
        "(null)",
        "<none>",
        "(none)",
        "undefined",
        "-",
        "--",
        "---",
        "–",
        "—",
        "无",
        "空",
        "暂无",
        "未设置",
    )
)
#: Columns of free text, in which a word for nothing may be meant; in tags only strokes are none.
_FREE = frozenset({"name", "hostname", "image_name", "security_groups", "tags"})
_STROKES = frozenset({"-", "--", "---", "–", "—"})

_SERVER: Mapping[str, str] = MappingProxyType(
    {
        word: status
        for status, words in {
            "ACTIVE": "running|运行中|运行|正在运行|开机|已开机|在线|started|powered on|poweredon|on|up|in operation",
            "SHUTOFF": (
                "stopped|关机|已关机|已停止|停止|关闭|shutdown|shut down|shut off|powered off|poweredoff|off|"
                "down|power off"
            ),
            "BUILD": "创建中|creating|building",
            "REBOOT": "重启中|restarting|rebooting",
            "ERROR": "故障|错误|异常|faulty|fault|failed",
            "DELETED": "已删除|deleted",
        }.items()
        for word in words.split("|")
    }
)
_VOLUME: Mapping[str, str] = MappingProxyType(
    {
        word: status
        for status, words in {
            "available": "可用|未挂载|unattached|not attached",
            "in-use": "正在使用|使用中|已挂载|in use|in_use|attached|used",
            "creating": "创建中",
            "error": "错误|异常|故障",
        }.items()
        for word in words.split("|")
    }
)
_KNOWN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "servers": {**{word.casefold(): word for word in statuses.SERVER}, **_SERVER},
        "volumes": {**{word.casefold(): word for word in statuses.VOLUME}, **_VOLUME},
    }
)
_BILLING = (
    (re.compile(r"按需|pay[ -]?per[ -]?use|on[ -]?demand|postpaid", re.IGNORECASE), "on demand"),
    (re.compile(r"包年|包月|包周期|yearly|monthly|prepaid|subscription", re.IGNORECASE), "yearly/monthly"),
    (re.compile(r"竞价|spot", re.IGNORECASE), "spot"),
)
_SYSTEM = (
    (re.compile(r"windows", re.IGNORECASE), "Windows"),
    (
        re.compile(
            r"linux|euler|centos|ubuntu|debian|suse|red ?hat|rhel|fedora|rocky|alma|kylin|uos|oracle", re.IGNORECASE
        ),
        "Linux",
    ),
)
#: How consoles show an AZ; the name that the API and protection groups use cannot be told from it.
_SHOWN_AZ = re.compile(r"可用区 ?\d{1,2}|AZ ?\d{1,2}")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_PUBLIC = re.compile(r"[^,;\n]*(?:弹性公网|公网|EIP|public)[^,;\n]*", re.IGNORECASE)
#: 2026/03/01 10:11:12 GMT+08:00, as the console shows and exports times.
_SLASHED = re.compile(
    r"(\d{4})/(\d\d?)/(\d\d?)(?: (\d\d?:\d\d(?::\d\d)?))?(?: ?(?:GMT|UTC) ?([+-]\d\d(?::?\d\d)?)?)?.*", re.DOTALL
)
_MONTHS = {
    month: at
    for at, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_NAMED = re.compile(
    r"([A-Z][a-z]{2}) (\d\d?), (\d{4}) (\d\d?:\d\d(?::\d\d)?)(?: ?(?:GMT|UTC) ?([+-]\d\d(?::?\d\d)?)?)?"
)
#: What stands under a table: a word for the sum, perhaps with a number.
_TOTAL = re.compile(
    r"(?:(?:grand |sub ?)?totals?|sum|count|summe|gesamt|insgesamt|合计|总计|总数|小计|共计|汇总"
    r"|合計|総計|小計|共\s*\d+\s*[条台个项行])"
    r"(?:\s*[:：=]?\s*[\d.,' ]*(?:\s*(?:rows?|servers?|records?|items?|条|台|个|项|行))?)?\s*[:：]?",
    re.IGNORECASE,
)


def is_total(text: str) -> bool:
    """Tell whether a cell is what stands under a table to sum it up: ``Total: 2``, 合计, 共 2 条."""
    return _TOTAL.fullmatch(text.strip()) is not None


def reader_of(table: Table, column: str, said: Mapping[str, str]) -> Reader | None:
    """Return what reads a text in this column; None where every text means itself.

    ``said``: words as the person says, which win.
    """
    own = {word.strip().casefold(): meant for word, meant in said.items()}
    special = _special(table, column)
    dtype = table.columns[column]
    if dtype == STR and column in _FREE and special is None and not own:
        return _without_strokes if column == "tags" else None

    def read(text: str) -> object:
        stripped = text.strip()
        if stripped.casefold() in own:
            return own[stripped.casefold()]
        if column in _FREE:
            return text
        plain = stripped if stripped.isascii() else unicodedata.normalize("NFKC", stripped).strip()
        if plain.casefold() in _NOTHING:
            return None
        if special is not None and plain:
            return special(plain)
        return text if plain == stripped else plain

    return read


def _without_strokes(text: str) -> object:
    return None if text.strip() in _STROKES else text


def _special(table: Table, column: str) -> Reader | None:
    """Return the reader of a column in which a word has to be one of the service's."""
    if column in _BY_COLUMN:
        return _BY_COLUMN[column]
    if column == "status" and table.name in _KNOWN:
        known = _KNOWN[table.name]
        return lambda text: known.get(" ".join(text.casefold().split()), UNREADABLE)
    if column == "billing" and "billing" in table.choices:
        return lambda text: next((word for pattern, word in _BILLING if pattern.match(text)), text)
    if column == "os_type" and "os_type" in table.choices:
        return lambda text: next((word for pattern, word in _SYSTEM if pattern.search(text)), text)
    if table.columns[column] == TIME:
        return _moment
    return None


def _addresses(text: str) -> object:
    """Return the private addresses of a cell that may name public ones too, each with what it is behind it."""
    private = _PUBLIC.sub("", text)
    found = _ADDRESS.findall(private)
    if not found or not re.search(r"[^\d., ]", text):
        return text
    return ",".join(dict.fromkeys(found))


def _moment(text: str) -> object:
    """Return a time as consoles show it in ISO form; any other text as it is."""
    if found := _SLASHED.fullmatch(text):
        year, month, day, hour, zone = found.groups()
    elif (found := _NAMED.fullmatch(text)) and found[1] in _MONTHS:
        name, day, year, hour, zone = found.groups()
        month = str(_MONTHS[name])
    else:
        return text
    hour = f"T{hour.zfill(5) if hour.count(':') == 1 else hour.zfill(8)}" if hour else ""
    return f"{year}-{int(month):02}-{int(day):02}{hour}{zone or ('Z' if hour else '')}"


_BY_COLUMN: Mapping[str, Reader] = MappingProxyType(
    {"az": lambda text: UNREADABLE if _SHOWN_AZ.fullmatch(text) else text, "private_ips": _addresses}
)
