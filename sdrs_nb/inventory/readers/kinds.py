"""What a file is by its content: the ending of its name is a hint to people and is not asked.

``kind_of`` tells formats apart by their first bytes; what is known and not read is refused in one sentence that names
the command or the menu that gives a readable file.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from types import MappingProxyType

from sdrs_nb.errors import InventoryError
from sdrs_nb.i18n import _

__all__ = ["kind_of", "refuse_text"]

_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
#: What begins so -> kind.
_BEGINNINGS: Mapping[bytes, str] = MappingProxyType(
    {
        b"PAR1": "parquet",
        b"%PDF": "pdf",
        b"\x1f\x8b": "gzip",
        b"BZh": "bzip2",
        b"\xfd7zXZ\0": "xz",
        b"(\xb5/\xfd": "zstd",
        b"7z\xbc\xaf\x27\x1c": "7z",
        b"Rar!": "rar",
        b"SQLite format 3\0": "sqlite",
        b"\x89PNG": "picture",
        b"\xff\xd8\xff": "picture",
        b"GIF8": "picture",
        b"ARROW1": "arrow",
        b"FEA1": "arrow",
        b"ORC": "orc",
        b"Obj\x01": "avro",
        b"\x89HDF": "hdf",
        b"\x80\x04\x95": "pickle",
        b"\x80\x05\x95": "pickle",
        b"{\\rtf": "document",
    }
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: A member of a ZIP file -> kind.
_MEMBERS = (
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("word/document.xml", "document"),
    ("ppt/presentation.xml", "document"),
    ("Index/Document.iwa", "numbers"),
    ("Index.zip", "numbers"),
    ("tfplan", "tfplan"),
    ("tfstate", "tfplan"),
)


def kind_of(data: bytes, name: str) -> str:
    """Return ``xlsx``, ``ods``, ``xls``, ``parquet`` or ``text``.

    Raises
    ------
    InventoryError
        It is empty, or of a format that is known and not read.
    """
    if not data.strip(b"\0 \t\r\n\x0b\x0c\xef\xbb\xbf\xff\xfe"):
        raise InventoryError(_("There is nothing in {name}; give a file that holds servers.", name=name))
    kind = "text"
    if data.startswith(b"PK\x03\x04"):
        kind = _of_archive(data)
    elif data.startswith(_OLE):
        kind = _of_ole(data)
    else:
        kind = next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), "text")
    if advice := _advice(kind, name):
        raise InventoryError(advice)
    return kind


def _of_archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {each.filename for each in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, LookupError, ArithmeticError, RuntimeError):
        return "xlsx"  # whose reader says that it is damaged
    lowered = {each.lower().replace("\\", "/").lstrip("/") for each in names}
    kind = next((kind for member, kind in _MEMBERS if member.lower() in lowered), "zip")
    if kind == "zip" and "content.xml" in names and "mimetype" in names:
        # The first part, stored as it is: its type follows its name.
        return "ods" if _SPREADSHEET in data[:200] else "document"
    return kind


def _of_ole(data: bytes) -> str:
    wide = {
        word: word.encode("utf-16-le")
        for word in ("EncryptedPackage", "Workbook", "Book", "WordDocument", "__properties")
    }
    if wide["EncryptedPackage"] in data:
        return "encrypted"
    return "xls" if wide["Workbook"] in data or wide["Book"] in data else "document"


def _advice(kind: str, name: str) -> str | None:
    """Return what to do with a file of a kind that is not read, None for those that are."""
    unpack = {
        "gzip": "gunzip", "bzip2": "bunzip2", "xz": "unxz", "zstd": "unzstd", "zip": "unzip -d inventory",
        "7z": "7z x", "rar": "unrar x",
    }  # fmt: skip
    frames = {"arrow": "feather", "orc": "orc", "pickle": "pickle", "hdf": "hdf"}
    if kind in unpack:
        return _(
            "{name} is packed; unpack it and give what is in it: {command}", name=name, command=f"{unpack[kind]} {name}"
        )
    if kind in frames:
        call = f"pandas.read_{frames[kind]}({name!r})"
        return _(
            "{name} is not read from a file; give the DataFrame: sdrs_nb.read_inventory({call})", name=name, call=call
        )
    if kind == "tfplan":
        command = f"terraform show -json {name} > state.json"
        return _("{name} is a plan of Terraform; give what this prints: {command}", name=name, command=command)
    saved = {
        "xlsb": _("{name} is a binary Excel workbook (.xlsb); save it as .xlsx.", name=name),
        "numbers": _("{name} is a Numbers spreadsheet; export it as Excel (File, Export To, Excel).", name=name),
        "encrypted": _("{name} is protected by a password; save it without.", name=name),
        "document": _(
            "{name} is a document, not a spreadsheet; copy its table into a workbook and save that.", name=name
        ),
        "pdf": _("{name} is a PDF; export the list as .xlsx or .csv where it was made.", name=name),
        "picture": _("{name} is a picture; export the list as .xlsx or .csv where it was made.", name=name),
        "sqlite": _(
            "{name} is a database; write the table to a file: {command}", name=name,
            command=f"sqlite3 -header -csv {name} '.output servers.csv' 'SELECT ...'",
        ),
        "avro": _("{name} is an Avro file; write it as JSON lines: {command}", name=name,
                  command=f"avro-tools tojson {name} > servers.jsonl"),
    }  # fmt: skip
    return saved.get(kind)


#: How a text begins, or a line of it -> what it is.
_TEXTS = (
    (re.compile(r"\s*<\?xml.{0,300}urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL), "xml workbook"),
    (re.compile(r"\s*<\?xml|\s*<[a-z][\w:.-]*[\s>/]", re.IGNORECASE), "xml"),
    (
        re.compile(
            r"^\s*(?:resource|data|module|provider|terraform|variable|locals)\b[^\n]{0,200}\{\s*$", re.MULTILINE
        ),
        "terraform",
    ),
    (re.compile(r"\s*# \S+\.\S+:\s*$", re.MULTILINE), "terraform"),
    (re.compile(r"\s*\[[\w:.-]+\]\s*$", re.MULTILINE), "ansible"),
    (re.compile(r"\s*---\s*$|\s*(?:all|hosts|plugin|apiVersion|clouds|servers)\s*:\s*$", re.MULTILINE), "yaml"),
)


def refuse_text(text: str, name: str) -> None:
    """Refuse a text of a format that is known and not read.

    Raises
    ------
    InventoryError
        It names the command that gives a readable file.
    """
    kind = next((kind for pattern, kind in _TEXTS if pattern.match(text[:10_000])), "")
    advice = {
        "xml workbook": _("{name} is an Excel workbook in XML; save it as .xlsx.", name=name),
        "xml": _("{name} is XML; export the list as .xlsx or .csv where it was made.", name=name),
        "terraform": _(
            "{name} is written for Terraform; give its state: {command}", name=name,
            command="terraform show -json > state.json",
        ),
        "ansible": refusal_of_ansible(name),
        "yaml": _(
            "{name} is YAML; give JSON instead: {command}", name=name,
            command="python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' "
            f"< {name} > servers.json",
        ),
    }.get(kind)  # fmt: skip
    if advice:
        raise InventoryError(advice)


def refusal_of_ansible(name: str) -> str:
    """Return the sentence for an inventory of Ansible: it names hosts, not what the cloud knows of them."""
    return _(
        "{name} is an inventory of Ansible; give a list of the cloud: {command}", name=name,
        command="openstack server list --long -f json > servers.json",
    )  # fmt: skip
