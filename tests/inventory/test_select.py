"""Which servers a list or an expression means: nothing is chosen silently, and copies never by name."""

import json
import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sdrs_nb
from sdrs_nb.errors import InventoryError, SettingsError
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.tables import SERVERS, shape
from tests.builders import a_server, an_instance, an_inventory

WEB, DB, DB_TOO, DR, DRILL, MAIL, PLAIN = (f"{at}0000000-0000-4000-8000-00000000000{at}" for at in range(1, 8))


@pytest.fixture(scope="module")
def estate():
    """Two servers called db-01, a DR server and a drill server called as production, a name with a domain."""
    servers = [
        a_server(WEB, name="web-01", hostname="web01", private_ips="10.0.0.1", tags="env=prod,x-y=1,bare"),
        a_server(DB, name="db-01", hostname="db01a", private_ips="10.0.0.2,10.1.0.2", az="az-1", tags="env=prod"),
        a_server(DB_TOO, name="db-01", hostname="db01b", private_ips="10.0.0.3", az="az-3", tags="env=test"),
        a_server(DR, name="web-01", hostname="web01", private_ips="10.9.0.1", tags="env=prod"),
        a_server(DRILL, name="only-drill", hostname="drill", tags="env=prod"),
        a_server(MAIL, name="mail.corp.example", hostname="mail", private_ips="fd00::1", vcpus=None),
        a_server(PLAIN, name="Payroll Server", hostname="pay", private_ips="10.0.0.9", vcpus=8),
    ]
    instance = an_instance(WEB, target_server_id=DR)
    return an_inventory(servers=servers, protected_instances=[instance], drill_servers=[{"server_id": DRILL}])


@pytest.mark.parametrize(
    ("text", "how", "server_id"),
    [
        (WEB, "id", WEB),
        (WEB.upper(), "id", WEB),
        (WEB.replace("-", ""), "id", WEB),
        ("web-01", "name", WEB),
        ("  - web-01", "name", WEB),
        ("3) `web-01`", "name", WEB),
        ('"web-01".', "name", WEB),
        ("WEB-01", "loose", WEB),
        ("ｗｅｂ－０１", "loose", WEB),
        ("web-01.corp.example", "loose", WEB),
        ("mail", "host name", MAIL),
        ("mail.corp.example", "name", MAIL),
        ("10.1.0.2", "IP", DB),
        ("10.0.0.1/24", "IP", WEB),
        ("fd00:0:0::1", "IP", MAIL),
        ("db01b", "host name", DB_TOO),
        ("db-01 10.0.0.3", "name+IP", DB_TOO),
        ("Payroll Server", "name", PLAIN),
        (DR, "id", DR),
        (DRILL, "id", DRILL),
    ],
)
def test_every_way_to_name_a_server_names_it(estate, text, how, server_id):
    """Ids, names, addresses and host names are understood in any of their spellings, and it is said by what."""
    found = sdrs_nb.select(estate, text)

    assert found.server_ids == (server_id,)
    assert found.matched[["how", "server_id"]].to_numpy().tolist() == [[how, server_id]]
    assert found.ambiguous.empty
    assert found.not_found.empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("only-drill", "chosen by their id alone"),
        ("10.9.0.1", "No server has"),
        ("drill", "No server has"),
        ("web-02", "web-01"),
        ("10.0.0.99", "No server has"),
        ("99999999-0000-4000-8000-000000000000", "No server has"),
        ("please take web-01 soon", "web-01"),
    ],
)
def test_what_names_no_server_selects_none_and_says_why(estate, text, said):
    """Copies of production are not found by name, address or host name; a similar name is offered, never taken."""
    found = sdrs_nb.select(estate, [text])

    assert found.server_ids == ()
    assert found.matched.empty
    assert said in found.not_found["reason"].iloc[0]
    assert text.strip() in repr(found)


def test_a_name_of_several_servers_selects_none_and_says_what_tells_them_apart(estate):
    """Each server it may mean is a row with what differs; an address beside the name decides."""
    found = sdrs_nb.select(estate, "db-01\nweb-01")

    assert found.server_ids == (WEB,)
    assert found.ambiguous["server_id"].tolist() == [DB, DB_TOO]
    assert "az=az-1" in found.ambiguous["apart"].iloc[0]
    assert "vpc_id" not in found.ambiguous["apart"].iloc[0]
    assert DB_TOO in found.open_points[0]


FORMS = {
    "lines": "web-01\ndb01b\n",
    "commas": "web-01, db01b",
    "full-width": "web-01，db01b；",
    "bullets": "* web-01\n* db01b",
    "quoted mail": "> web-01\n> db01b\n",
    "words": "web-01 db01b",
    "windows": "web-01\r\ndb01b\r\n\r\n",
    "csv": f"Server ID,Name\n{WEB},web-01\n{DB_TOO},db-01\n",
    "csv by name and address": "name;private_ips\nweb-01;10.0.0.1\ndb-01;10.0.0.3\n",
    "pasted cells": "web-01\t10.0.0.1\ndb-01\t10.0.0.3",
    "chinese headings": "名称,私有IP地址\nweb-01,\ndb-01,10.0.0.3\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given_as", ["text", "file", "bytes", "path text"])
def test_a_list_is_read_in_any_form(estate, tmp_path, form, given_as):
    """A mail, a text file and a table pasted from a sheet mean the same servers, in their order."""
    path = tmp_path / "list.txt"
    path.write_bytes(FORMS[form].encode())
    source = {"text": FORMS[form], "file": path, "bytes": path.read_bytes(), "path text": str(path)}[given_as]

    found = sdrs_nb.select(estate, source, name="list.txt")

    assert found.server_ids == (WEB, DB_TOO)
    assert found.not_found.empty


FRAME = pd.DataFrame({"Host": ["web-01", "db-01"], "Address": [None, "10.0.0.3"]})
OBJECTS = {
    "list": ["web-01", "db01b"],
    "tuple": ("web-01", DB_TOO),
    "series": pd.Series(["web-01", None, "db01b"]),
    "index": pd.Index(["web-01", "db01b"]),
    "frame of unknown headings": FRAME,
    "frame of known headings": FRAME.rename(columns={"Host": "name", "Address": "private_ips"}),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_of_python_are_lists_too(estate, kind):
    """Whatever gives texts, and a frame with a row a server; headings that nobody knows are told as nothing."""
    found = sdrs_nb.select(estate, OBJECTS[kind])

    assert found.server_ids == (WEB, DB_TOO)
    assert found.not_found.empty


@pytest.mark.parametrize("ending", ["xlsx", "csv", "json", "jsonl", "parquet"])
@pytest.mark.parametrize("headings", [("name", "private_ips"), ("Host", "Where")])
def test_files_of_every_kind_are_lists(estate, tmp_path, ending, headings):
    """A workbook with headings that are known or not; the rows say which servers."""
    frame = pd.DataFrame([("web-01", None), ("db-01", "10.0.0.3")], columns=list(headings))
    path = tmp_path / f"list.{ending}"
    {
        "xlsx": lambda: frame.to_excel(path, index=False),
        "csv": lambda: frame.to_csv(path, index=False),
        "json": lambda: frame.to_json(path, orient="records"),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(path),
    }[ending]()

    found = sdrs_nb.select(estate, path)

    assert {WEB} <= set(found.server_ids) <= {WEB, DB_TOO}
    assert headings[0] != "name" or found.server_ids == (WEB, DB_TOO)


def test_a_json_list_of_texts_is_a_list(estate, tmp_path):
    """What `sdrs-nb ... --json | jq '[.[].server_id]'` leaves."""
    (tmp_path / "ids.json").write_text(json.dumps([WEB, DB]))

    assert sdrs_nb.select(estate, tmp_path / "ids.json").server_ids == (WEB, DB)


def test_an_id_that_is_gone_does_not_fall_back_on_the_name_beside_it(estate):
    """A row's id decides; a server that was made anew is offered by its name, never taken."""
    frame = pd.DataFrame({"server_id": ["99999999-0000-4000-8000-000000000000"], "name": ["web-01"]})

    found = sdrs_nb.select(estate, frame)

    assert found.server_ids == ()
    assert WEB in found.not_found["reason"].iloc[0]


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("name == 'web-01'", [WEB]),
        ("name in ['web-01', 'db-01']", [WEB, DB, DB_TOO]),
        ("tags.env == 'prod' && az == 'az-1'", [WEB, DB]),
        ("tags['x-y'] == '1'", [WEB]),
        ("'bare' in tags", [WEB]),
        ("!('env' in tags)", [MAIL, PLAIN]),
        ("vcpus > 4", [PLAIN]),
        ("vcpus == null", [MAIL]),
        ("vcpus > 4 || name.startsWith('mail')", [MAIL, PLAIN]),
        ("name.matches('^db-[0-9]+$')", [DB, DB_TOO]),
        ("locked == true", []),
        ("created_at == null", [WEB, DB, DB_TOO, MAIL, PLAIN]),
    ],
)
def test_an_expression_selects_by_columns_and_tags(estate, expression, ids):
    """The documented language; DR and drill servers, which carry production's names, are never in it."""
    both = sdrs_nb.select(estate, expression), sdrs_nb.select(estate, where=expression)

    assert [list(found.server_ids) for found in both] == [ids, ids]


def test_where_narrows_a_list(estate):
    """Servers of the list for which the expression does not hold are counted, not forgotten."""
    found = sdrs_nb.select(estate, ["web-01", "db01b", "nobody"], where="tags.env == 'prod'")

    assert found.server_ids == (WEB,)
    assert found.notes == ("1 servers of the list do not satisfy the expression.",)
    assert found.not_found["given"].tolist() == ["nobody"]


def test_a_missing_value_is_told(estate):
    """A server whose value is not known is not selected, and that is said."""
    found = sdrs_nb.select(estate, where="vcpus > 4")

    assert MAIL not in found.server_ids
    assert found.notes[0].startswith("1 servers are not selected")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("nme == 'x'", "Use name."),
        ("name ==", "no expression"),
        ("name", "neither true nor false"),
        ("name.__class__ == 1 || frobnicate()", "frobnicate"),
        ("vcpus", "neither true nor false"),
        ("'web' + name", "neither true nor false"),
        ("__import__('os').system('true') == 0", "__import__"),
    ],
)
def test_a_wrong_expression_is_one_sentence(estate, expression, said):
    """It says what is wrong with it and never runs anything."""
    with pytest.raises(InventoryError, match="expression") as caught:
        sdrs_nb.select(estate, where=expression)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [5, 2.5, {"a": 1}, object()], ids=["number", "float", "mapping", "object"])
def test_what_is_no_list_is_refused(estate, given):
    """One sentence names the kinds that are taken."""
    with pytest.raises(InventoryError, match="no list of servers"):
        sdrs_nb.select(estate, given)


def test_neither_a_list_nor_an_expression_is_refused(estate):
    """Nothing does not mean all."""
    with pytest.raises(SettingsError, match="Say which servers"):
        sdrs_nb.select(estate)


def test_a_missing_file_is_said(estate, tmp_path):
    """A path that is no file names it."""
    with pytest.raises(InventoryError, match=r"none\.txt"):
        sdrs_nb.select(estate, tmp_path / "none.txt")


@given(st.text(max_size=80))
def test_any_text_selects_servers_that_it_names_or_nothing(estate, text):
    """No text makes it stumble, and every entry is matched, ambiguous or not found."""
    try:
        found = sdrs_nb.select(estate, text)
    except InventoryError:
        assert any(sign in text for sign in ("==", "!=", "&&", "||"))
        return

    assert set(found.server_ids) == set(found.matched["server_id"])
    assert set(found.server_ids) <= set(estate.servers["server_id"])


@pytest.mark.slow
def test_a_large_estate_takes_seconds():
    """Twenty thousand servers: a list of all their names, and an expression over them."""
    count = 20_000
    frame = pd.DataFrame({"server_id": [f"id-{at}" for at in range(count)]})
    frame = shape(frame.assign(name="web-" + frame.index.astype(str), vcpus=frame.index % 8, tags="env=prod"), SERVERS)
    large = Inventory({"servers": frame})
    begun = time.perf_counter()

    listed = sdrs_nb.select(large, "\n".join(frame["name"]))
    chosen = sdrs_nb.select(large, where="vcpus > 3 && tags.env == 'prod' && name.matches('^web-')")

    assert (len(listed.server_ids), len(chosen.server_ids)) == (count, count // 2)
    assert time.perf_counter() - begun < 10


FACTS = [
    ("Status", "Running", None),
    ("Status", "Stopped", "web-0: the list says Stopped → the inventory says ACTIVE"),
    ("状态", "关机", "web-0: the list says 关机 → the inventory says ACTIVE"),
    ("Zone", "az-1", None),
    ("Zone", "az-9", "web-0: the list says az-9 → the inventory says az-1"),
    ("vpc_id", "3C9E0C4A-1111-1111-AAAA-000000000001", None),
    ("vpc_id", "3c9e0c4a-1111-1111-aaaa-000000000002", "3c9e0c4a-1111-1111-aaaa-000000000002 →"),
    ("vCPUs", "2.0", None),
    ("vCPUs", "16", "the list says 16 → the inventory says 2"),
    ("vCPUs", "many", None),
    ("Locked", "是", "the list says 是 → the inventory says "),
    ("Key pair", "", None),
    ("Key pair", "key-9", "the list says key-9 → the inventory says -"),
    ("Tags", "env=test", None),
    ("Owner", "li", None),
    ("<b>Owner</b>", "li", None),
]


@pytest.mark.parametrize(("heading", "text", "differs"), FACTS)
@pytest.mark.parametrize("form", ["csv", "frame", "workbook"])
def test_what_a_list_says_beside_is_passed_over_and_told_where_it_differs(tmp_path, heading, text, differs, form):
    """Words are read as in an inventory; what is empty, no such value or no column of ours contradicts nothing."""
    vpc = "3c9e0c4a-1111-1111-aaaa-000000000001"
    inventory = an_inventory(servers=[a_server("s-0", name="web-0", az="az-1", vpc_id=vpc, key_name=None)])
    frame = pd.DataFrame({"Server ID": ["s-0"], heading: [text], "Name": ["web-0"]})
    given = frame
    if form != "frame":
        given = tmp_path / ("list.csv" if form == "csv" else "list.xlsx")
        (frame.to_csv if form == "csv" else frame.to_excel)(given, index=False)

    found = sdrs_nb.select(inventory, given)

    notes = found.reading
    assert found.server_ids == ("s-0",)
    assert notes.loc[notes["what"] == "passed over", "from"].tolist() == ([heading] if text else [])
    told = [f"{before} → {after}" for before, after in notes.loc[notes["what"] == "differs", ["from", "to"]].to_numpy()]
    assert len(told) == (differs is not None)
    assert all(differs in each for each in told)


def test_a_name_beside_an_id_that_is_another_servers_is_told_and_survives_an_expression():
    """The id has decided; a list of names alone says nothing beside."""
    inventory = an_inventory(servers=[a_server("s-0", name="web-0"), a_server("s-1", name="web-1")])
    frame = pd.DataFrame({"Server ID": ["s-0", "s-1"], "Name": ["web-1", "web-1"]})

    found = sdrs_nb.select(inventory, frame, where="name != ''")

    assert found.reading[["what", "row", "column", "from"]].to_numpy().tolist() == [
        ["differs", 2, "name", "web-0: the list says web-1"]
    ]
    assert sdrs_nb.select(inventory, ["web-0", "s-1"]).reading.empty
