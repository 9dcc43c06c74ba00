"""Damaged files, thousands a reader: each ends in a result or in an ``SdrsError``, soon and without much memory.

``python -m tests.fuzzing --inputs 2000`` damages a good file of every kind in 2,000 ways, bytes and structure, and
prints what came of it; it leaves with 1 where an input ended in any other error, took too long or too much memory.
"""

import argparse
import copy
import io
import json
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sdrs_nb import Plan, check_eligibility, plan_batches, read_inventory
from sdrs_nb.errors import SdrsError
from sdrs_nb.planning import freezing
from sdrs_nb.planning.approvals import approve, load_approval, save_approval
from sdrs_nb.settings.credential_sources import credentials_file, openstack_clouds
from tests.builders import a_group, a_server, a_volume, an_attachment, an_inventory
from tests.builders_workbooks import ods_of, xls_of

MOST_S, MOST_MB = 5.0, 300
Random = random.Random

#: What JSON can say in the place of something else.
OTHERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    -(2**63),
    1e308,
    "",
    "x",
    "x" * 200_000,
    "\ud800",
    "\0",
    "2024-99-99T99:99:99Z",
    [],
    {},
    [None],
    [[]],
    {"": None},
    [{}] * 1000,
)
#: Bytes that mean something to one reader or another.
TOKENS = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b",",
    b";",
    b"\t",
    b"[" * 2000,
    b"{" * 2000,
    b'{"a":' * 500,
    b"9" * 5000,
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"\\ud800",
    b"&a [*a, *a]",
    b"*a",
    b"<<: ",
    b"!!int ''",
    b"!!timestamp x",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
    b"&#x0;",
    b'<c r="XFD1048576"><v>1</v></c>',
    b"<row>",
    b"</row>",
    b"<c><v>7</v></c>",
    b'<row r="1048576">',
    b't="s"',
    b"<v>99999999999</v>",
    b"PK\x05\x06",
    b"PK\x01\x02",
    b"[DEFAULT]\n",
    b"%(ak)s",
    b"=",
)


def damaged(random: Random, data: bytes) -> bytes:
    """Return ``data`` with one to four things wrong in its bytes."""
    for _time in range(random.randint(1, 4)):
        at, end = sorted(random.randrange(len(data) + 1) for _end in range(2))
        end = min(end, at + random.choice((1, 16, 256, 4096)))
        match random.randrange(6):
            case 0:
                changed = bytearray(data)
                for place in range(at, min(end, at + 8)):
                    changed[place] = random.randrange(256)
                data = bytes(changed)
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:at] + data[at:end] * random.choice((2, 3, 50)) + data[end:]
            case 4:
                data = data[:at] + random.choice(TOKENS) + data[end if random.random() < 0.5 else at :]
            case _:
                place = random.randrange(len(data) + 1)
                data = data[:place] + data[at:end] + data[place:]
        data = data or b"\0"
    return data


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every node of a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


def changed_document(random: Random, document: Any) -> Any:
    """Return a document with one to three of its nodes replaced, taken away or moved."""
    document = json.loads(json.dumps(document))
    for _time in range(random.randint(1, 3)):
        path = random.choice(list(places(document)))
        if not path:
            continue
        *way, last = path
        node = document
        for key in way:
            node = node[key]
        if random.random() < 0.2:
            del node[last]
        elif random.random() < 0.1:
            node[last] = {str(n): copy.deepcopy(node[last]) for n in range(5)}
        else:
            node[last] = copy.deepcopy(random.choice(OTHERS))
    return document


def json_text(random: Random, document: Any) -> bytes:
    """Return a changed document as JSON, now and then damaged in its bytes too."""
    if random.random() < 0.4:
        return damaged(random, json.dumps(document).encode())
    text = json.dumps(changed_document(random, document)).encode()
    return damaged(random, text) if random.random() < 0.2 else text


@dataclass
class Parser:
    """A reader, and how its files are damaged."""

    damage: Callable[[Random], bytes]
    read: Callable[[bytes], object]


@dataclass
class Outcome:
    """What came of the inputs of one reader."""

    name: str
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    grown_mb: float = 0.0
    faults: list[str] = field(default_factory=list)


def parsers(folder: Path) -> dict[str, Parser]:
    """Return every reader by name; those that read paths write into ``folder``."""
    servers = [a_server(f"s{n}", name=f"web {n}", tags="a=1") for n in range(30)]
    inventory = an_inventory(
        servers=servers,
        volumes=[a_volume(f"v{n}") for n in range(30)],
        attachments=[an_attachment(f"s{n}", f"v{n}") for n in range(30)],
        groups=[a_group()],
    )
    frame = pd.DataFrame(servers)
    plan = plan_batches(check_eligibility(inventory), name_prefix="erp")
    approval = save_approval(approve(plan, "li"), folder / "a.json").read_bytes()
    document = {"servers": servers, "volumes": [a_volume("v1")], "groups": [a_group()]}
    csv = frame.to_csv(index=False).encode()
    workbook = inventory.to_excel(folder / "e.xlsx").read_bytes()
    rows = [list(frame.columns), *frame.fillna("").astype(str).to_numpy().tolist()]
    opened, old = ods_of(rows), xls_of(rows)
    columns = io.BytesIO()
    frame.to_parquet(columns)
    clouds = (
        b"base: &base\n  region_name: eu-de\n  auth: &auth {username: u, password: p, domain_name: d}\n"
        b"clouds:\n  one:\n    <<: *base\n    profile: otc\n"
        b"  two:\n    auth:\n      <<: *auth\n      project_id: 0123\n    region_name: eu-de\n    verify: true\n"
    )
    credentials = b"[basic]\nak = AKAKAK\nsk = SKSKSK\nproject_id = 0123\niam_endpoint = https://iam.eu-de.x.y\n[global]\nak=A\nsk=S\n"

    def of_bytes(name: str) -> Callable[[bytes], object]:
        return lambda data: read_inventory(data, name=name)

    def of_path(path: Path, read: Callable[[], object]) -> Callable[[bytes], object]:
        def written(data: bytes) -> object:
            path.write_bytes(data)
            return read()

        return written

    def plan_bytes(random: Random) -> bytes:
        sealed = plan.to_document()
        if random.random() < 0.3:
            return damaged(random, freezing._text(sealed))
        changed = changed_document(random, sealed)
        changed = {name: value for name, value in changed.items() if name not in {"format", "version", "checksum"}}
        try:
            return freezing._text(freezing.seal(changed))
        except UnicodeEncodeError:
            return json.dumps(changed).encode()

    def workbook_bytes(random: Random, workbook: bytes) -> bytes:
        if random.random() < 0.4:
            return damaged(random, workbook)
        given, made = zipfile.ZipFile(io.BytesIO(workbook)), io.BytesIO()
        hit = random.choice(given.namelist())
        with zipfile.ZipFile(made, "w", random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as book:
            for name in given.namelist():
                book.writestr(name, damaged(random, given.read(name)) if name == hit else given.read(name))
        return made.getvalue()

    environ = {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
               "HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(folder / "credentials")}  # fmt: skip
    lines = "\n".join(json.dumps(each) for each in servers).encode()
    return {
        "csv": Parser(lambda random: damaged(random, csv), of_bytes("servers.csv")),
        "tsv": Parser(lambda random: damaged(random, csv.replace(b",", b"\t")), of_bytes("servers.csv")),
        "json": Parser(lambda random: json_text(random, document), of_bytes("servers.json")),
        "json lines": Parser(lambda random: damaged(random, lines), of_bytes("servers.jsonl")),
        "xlsx": Parser(lambda random: workbook_bytes(random, workbook), of_bytes("estate.xlsx")),
        "ods": Parser(lambda random: workbook_bytes(random, opened), of_bytes("estate.ods")),
        "xls": Parser(lambda random: damaged(random, old), of_bytes("estate.xls")),
        "parquet": Parser(lambda random: damaged(random, columns.getvalue()), of_bytes("servers.parquet")),
        "plan": Parser(plan_bytes, of_path(folder / "plan.json", lambda: Plan.load(folder / "plan.json"))),
        "approval": Parser(
            lambda random: json_text(random, json.loads(approval)),
            of_path(folder / "approval.json", lambda: load_approval(folder / "approval.json")),
        ),
        "clouds.yaml": Parser(
            lambda random: damaged(random, clouds),
            of_path(folder / "clouds.yaml", lambda: openstack_clouds(environ, folder, folder)),
        ),
        "credentials": Parser(
            lambda random: damaged(random, credentials),
            of_path(folder / "credentials", lambda: credentials_file(environ, folder)),
        ),
    }


def peak_mb() -> float:
    """Return the most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def tried(name: str, parser: Parser, inputs: int, seed: int, keep: Path | None = None) -> Outcome:
    """Return what came of so many damaged inputs of one reader; one that went wrong is written to ``keep``."""
    outcome = Outcome(name)
    source = random.Random(f"{seed} {name}")
    begun_mb = peak_mb()
    for number in range(inputs):
        data = parser.damage(source)
        fault = ""
        begun = time.perf_counter()
        try:
            parser.read(data)
            outcome.read += 1
        except SdrsError:
            outcome.refused += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever else there is, a panic of a library included
            where = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} {str(error)[:120]!r} in {where.filename}:{where.lineno}"
        took = time.perf_counter() - begun
        outcome.slowest_s = max(outcome.slowest_s, took)
        grown = peak_mb() - begun_mb
        if took > MOST_S:
            fault = fault or f"took {took:.1f} s"
        if grown > MOST_MB >= outcome.grown_mb:
            fault = fault or f"took {grown:.0f} MB"
        outcome.grown_mb = grown
        if fault:
            outcome.faults.append(f"{name} {number} (seed {seed}): {fault}")
            if keep is not None:
                (keep / f"{name.replace(' ', '_')}_{number}").write_bytes(data)
    return outcome


def main() -> int:
    """Try every reader, print a line for each and every fault; 1 where there is one."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--inputs", type=int, default=2000, help="for each reader")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--parser", help="only this one")
    arguments.add_argument("--keep", type=Path, help="folder for inputs that went wrong")
    asked = arguments.parse_args()
    wrong = 0
    print(f"{'reader':<12} {'read':>6} {'refused':>8} {'slowest':>9} {'memory':>8} {'faults':>7}")  # noqa: T201 - its report
    with tempfile.TemporaryDirectory() as folder:
        for name, parser in parsers(Path(folder)).items():
            if asked.parser not in (None, name):
                continue
            found = tried(name, parser, asked.inputs, asked.seed, asked.keep)
            told = f"{name:<12} {found.read:>6} {found.refused:>8} {found.slowest_s:>7.2f} s {found.grown_mb:>5.0f} MB"
            print(f"{told} {len(found.faults):>7}", *found.faults[:20], sep="\n  ", flush=True)  # noqa: T201
            wrong += len(found.faults)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
