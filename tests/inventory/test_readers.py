"""Lists as people, consoles and tools have them: each is read, or answered in one sentence that moves the reader on."""

import io
import json
import struct
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import InventoryError
from sdrs_nb.inventory.inventory import Inventory, read_inventory
from sdrs_nb.tables import READING
from tests.builders_inventory import a_server_document, a_volume_document

ID, OTHER = "00000001-1c2d-4e3f-8a5b-6c7d8e9f0001", "00000002-1c2d-4e3f-8a5b-6c7d8e9f0002"
VPC, VOLUME = "7a1d0c52-9b1e-4c8a-8f0e-2f7f5e6a1b11", "00000065-1c2d-4e3f-8a5b-6c7d8e9f0065"
HEAD = "server_id,name,status,az,vpc_id"
ROW = f"{ID},erp,ACTIVE,az-1,{VPC}"

MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def read(content, name="x.csv", **given):
    """Read text or bytes as a file of this name."""
    return read_inventory(content.encode() if isinstance(content, str) else content, name=name, **given)


def book_of(rows, title="servers", merged=()):
    """Return rows as the bytes of a workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def ods_of(rows, declared=""):
    """Return rows as the bytes of an OpenDocument spreadsheet."""
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in row)
        + "</table:table-row>"
        for row in rows
    )
    spaces = "".join(f' xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0"?>{declared}<office:document-content{spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="servers">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
    return made.getvalue()


def xls_of(rows, texts=None, length=4096):
    """Return rows of texts as the bytes of an old Excel workbook: records in a stream of a small file system."""
    texts = texts or [cell for row in rows for cell in row]

    def record(kind, content):
        return struct.pack("<HH", kind, len(content)) + content

    table = b"".join(struct.pack("<HB", len(text), 0) + text.encode("latin-1") for text in texts)
    last = record(0xFC, struct.pack("<II", len(texts), len(texts)) + table) + record(0x0A, b"")
    sheet_name = b"servers"
    start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    bound = 4 + 8 + len(sheet_name)
    offset = len(start) + bound + len(last)
    globals_ = start + record(0x85, struct.pack("<IBBBB", offset, 0, 0, len(sheet_name), 0) + sheet_name) + last
    numbered = iter(range(len(rows) * max(map(len, rows))))
    cells = b"".join(
        record(0xFD, struct.pack("<HHHI", at, column, 0, next(numbered) % len(texts)))
        for at, row in enumerate(rows)
        for column, _cell in enumerate(row)
    )
    stream = globals_ + record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + cells + record(0x0A, b"")
    stream = stream.ljust(-(-max(len(stream), length) // 512) * 512, b"\0")
    sectors = len(stream) // 512
    fat_sectors = -(-(sectors + 2 + sectors // 128 + 1) // 128)
    fat = [0xFFFFFFFD] * fat_sectors + [0xFFFFFFFE]
    first = len(fat)
    fat += [*range(first + 1, first + sectors), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (fat_sectors * 128 - len(fat))

    def entry(name, kind, child, begin, size):
        wide = name.encode("utf-16-le")
        return (
            wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + b"\0" * 36 + struct.pack("<III", begin, size, 0)
        )  # fmt: skip

    directory = (entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, first, len(stream))).ljust(
        512, b"\0"
    )
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *range(fat_sectors), *[0xFFFFFFFF] * (109 - fat_sectors))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + stream


ROWS = [HEAD.split(","), ROW.split(",")]
TABLES = {
    "commas": f"{HEAD}\n{ROW}\n",
    "semicolons after sep=": f"sep=;\r\n{HEAD}\r\n{ROW}\r\n".replace(",", ";"),
    "tabs": f"{HEAD}\n{ROW}".replace(",", "\t"),
    "bars": f"{HEAD}\n{ROW}".replace(",", "|"),
    "full-width commas": f"{HEAD}\n{ROW}".replace(",", "，"),
    "UTF-16": f"{HEAD}\n{ROW}".encode("utf-16"),
    "UTF-16 without a mark": f"{HEAD}\n{ROW}\n ".encode("utf-16-le"),
    "UTF-16, big end first, without a mark": f"{HEAD}\n{ROW}\n ".encode("utf-16-be"),
    "a drawn table": "+---+\n| ID | Name | Status | AZ | VPC ID |\n+---+\n| " + ROW.replace(",", " | ") + " |\n+---+\n",
    "a page": "<html><table><tr>" + "".join(f"<th>{h}</th>" for h in ROWS[0]) + "</tr><tr>"
    + "".join(f"<td>{c}</td>" for c in ROWS[1]) + "</tr></table>",
    "a workbook": book_of(ROWS),
    "OpenDocument": ods_of(ROWS),
    "an old workbook": xls_of(ROWS),
    "titles above": f"Estate of the ERP,,,,\nGenerated by ops,,,,\n\n{HEAD}\n{ROW}",
    "NUL padding": f"{HEAD}\n{ROW}\n\0\0\0",
    "a total": f"{HEAD}\n{ROW}\nTotal: 1,,,,\n",
    "a total in Chinese": f"{HEAD}\n{ROW}\n,合计 1 台,,,\n",
    "a row twice": f"{HEAD}\n{ROW}\n{ROW}\n",
    "JSON": json.dumps([dict(zip(*ROWS, strict=True))]),
    "JSON lines": json.dumps(dict(zip(*ROWS, strict=True))) + "\n",
    "other words": f"UUID,Server,Server status,Zone,VPC\n{ID},erp,Running,az-1,{VPC}",
    "Chinese words": f"云服务器ID,名称,状态,可用区,虚拟私有云ID\n{ID},erp,运行中,az-1,{VPC}",
    "full-width text": f"ｓｅｒｖｅｒ＿ｉｄ,name,status,az,vpc_id\n{ID},erp,ＡＣＴＩＶＥ,ａｚ－１,{VPC}",
}  # fmt: skip


@pytest.mark.parametrize("text", ["server_id,name,status\n", "ID\tName\n", "\n\nname;id\n\n", "名称,ID\r\n"])
def test_headings_alone_are_no_list_of_servers(text):
    """A file that is one table without a row is answered in one sentence."""
    with pytest.raises(InventoryError, match=r"There is nothing in list\.csv"):
        read_inventory(text.encode(), name="list.csv")


@pytest.mark.parametrize("ending", [".csv", ".xls", ".json", ""])
@pytest.mark.parametrize("form", TABLES)
def test_the_same_list_in_any_form_and_under_any_ending_is_the_same(form, ending):
    """The content says what a file is; the ending of its name says nothing."""
    row = read(TABLES[form], f"x{ending}").servers.iloc[0]

    assert row[["server_id", "name", "status", "az", "vpc_id"]].tolist() == [ID, "erp", "ACTIVE", "az-1", VPC]


@pytest.mark.parametrize("form", TABLES)
def test_no_more_servers_are_read_than_there_are(form):
    """Titles, totals, padding and repeated rows are no servers."""
    assert len(read(TABLES[form]).servers) == 1


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Büro-Süd März", "cp1252"),
        ("Größe", "mac_roman"),
        ("Büro", "cp850"),
        ("数据库服务器", "gb18030"),
        ("財務資料庫伺服器", "big5"),
        ("データベース起動", "cp932"),
        ("데이터베이스", "cp949"),
        ("Сервер базы", "cp1251"),
    ],
)
def test_a_name_in_another_encoding_arrives_whole_or_is_asked_about(name, encoding):
    """Never mojibake: either the right text, noted with its encoding, or the question which it is."""
    data = f"{HEAD}\n{ROW}".replace("erp", name).encode(encoding)

    try:
        inventory = read(data)
    except InventoryError as error:
        assert "encoding" in str(error)  # noqa: PT017 - either outcome is right
        assert read(data, encoding=encoding).servers["name"].tolist() == [name]
    else:
        assert inventory.servers["name"].tolist() == [name]
        assert "read as" in set(inventory.reading["what"])


NOT_READ = {
    "nothing": (b"", "There is nothing in"),
    "blank lines": (b"\r\n\r\n", "There is nothing in"),
    "null": (b"null", "There is nothing in"),
    "{}": (b"{}", "There is nothing in"),
    "ids": (f"{ID}\n{OTHER}\n".encode(), "--servers"),
    "ids under a heading": (f"server_id\n{ID}\n".encode(), "--servers"),
    "names": (b"erp-db-01\nerp-db-02\n", "--servers"),
    "a list of ids": (json.dumps([ID, OTHER]).encode(), "--servers"),
    "an unknown heading of ids": (f"Ref,Owner\n{ID},Li\n{OTHER},Wu\n".encode(), "is it Ref"),
    "unknown headings": (b"Ref,Owner\na,Li\nb,Wu\n", "Which column is the server's id"),
    "PDF": (b"%PDF-1.7", "is a PDF"),
    "gzip": (b"\x1f\x8b\x08rest", "gunzip x"),
    "a document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "is a document"),
    "Terraform": (b'resource "huaweicloud_compute_instance" "erp" {\n}\n', "terraform show -json"),
    "Ansible": (b"[web]\nerp-db-01 ansible_host=10.0.0.1\n", "openstack server list"),
    "Ansible's JSON": (b'{"_meta": {"hostvars": {"erp": {}}}, "all": {}}', "openstack server list"),
    "YAML": (b"---\nservers:\n  - id: 1\n", "is YAML"),
    "XML": (b'<?xml?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "as .xlsx"),
    "a plan": (b'{"fingerprint": "a", "batches": [], "rulebook_version": 1}', "not an inventory"),
    "no id": (f"{HEAD}\nNaN,erp,ACTIVE,az-1,{VPC}\n".encode(), "row 2, column server_id: server_id is empty"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_READ)
def test_what_is_no_inventory_is_answered_by_the_next_step(kind):
    """One sentence says what it is and the command, the option or the menu that helps."""
    data, told = NOT_READ[kind]

    with pytest.raises(InventoryError) as caught:
        read(data, "x")

    assert told in str(caught.value)
    assert len(caught.value.problems) <= 1


SERVERS, VOLUMES = [a_server_document("s1"), a_server_document("s2")], [a_volume_document("v1")]
ANSWERS = {
    "whole": {"count": 2, "servers": SERVERS},
    "only the list": {"servers": SERVERS},
    "in an envelope": {"body": {"servers": SERVERS}},
    "a bare list": SERVERS,
    "pages in a list": [{"servers": SERVERS[:1]}, {"servers": SERVERS[1:]}],
}


@pytest.mark.parametrize("form", ANSWERS)
def test_an_answer_of_the_cloud_is_read_as_the_cloud_is(form):
    """The documents go through the code that reads the cloud, whatever was wrapped around them."""
    inventory = read(json.dumps(ANSWERS[form]), "x.json")

    whole = read(json.dumps({"servers": SERVERS}), "x.json")
    pd.testing.assert_frame_equal(inventory.servers, whole.servers)
    assert inventory.servers["server_id"].tolist() == ["s1", "s2"]
    assert inventory.unread("servers") == whole.unread("servers")


@pytest.mark.parametrize("indent", [None, 2])
def test_answers_one_after_the_other_are_joined(indent):
    """Two pages that were saved into one file."""
    pages = [{"count": 2, "servers": [server]} for server in SERVERS]

    inventory = read("\n".join(json.dumps(page, indent=indent) for page in pages), "x.json")

    assert inventory.servers["server_id"].tolist() == ["s1", "s2"]
    assert inventory.is_loaded("servers")


def test_an_answer_that_is_not_all_is_partial():
    """The answer says how many there are; what was not saved is not taken for "not there"."""
    inventory = read(json.dumps({"count": 9, "servers": SERVERS}), "x.json")

    assert inventory.sources.set_index("frame").loc["servers", "state"] == "partial"


def test_a_folder_of_answers_is_checked_like_the_frames_they_make(tmp_path):
    """Files of one estate, and beside them what this tool wrote, which is passed over."""
    (tmp_path / "ecs.json").write_text(json.dumps({"count": 2, "servers": SERVERS}))
    (tmp_path / "evs.json").write_text(json.dumps({"count": 1, "volumes": VOLUMES}))
    (tmp_path / "plan.json").write_text('{"fingerprint": "a", "batches": [], "rulebook_version": 1}')
    inventory = read_inventory(tmp_path)

    check_eligibility(inventory).verdicts.to_csv(tmp_path / "verdicts.csv", index=False)
    again = read_inventory(tmp_path)

    pd.testing.assert_frame_equal(check_eligibility(inventory).verdicts, check_eligibility(again).verdicts)
    assert set(again.reading.query("what == 'passed over'")["from"]) >= {"plan.json", "verdicts"}
    assert again.is_loaded("attachments")


def test_lists_of_the_openstack_client_are_read(tmp_path):
    """Its columns hold several facts: networks, properties, what a volume is attached to."""
    (tmp_path / "servers.csv").write_text(
        f'"ID","Name","Status","Networks","Properties"\n"{ID}","erp","ACTIVE","{VPC}=10.0.0.1","os_type=\'Linux\'"\n'
    )
    attached = f"[{{'server_id': '{ID}', 'device': '/dev/vda'}}]"
    (tmp_path / "volumes.csv").write_text(f'"ID","Name","Size","Attached to"\n"{VOLUME}","v","40","{attached}"\n')

    inventory = read_inventory(tmp_path)

    assert inventory.servers.loc[0, ["vpc_id", "private_ips", "os_type"]].tolist() == [VPC, "10.0.0.1", "Linux"]
    assert inventory.volumes["size_gib"].tolist() == [40]
    assert inventory.attachments[["server_id", "volume_id", "device"]].to_numpy().tolist() == [[ID, VOLUME, "/dev/vda"]]


INSTANCE = {"id": ID, "name": "erp", "status": "ACTIVE", "availability_zone": "az-1", "flavor_id": "s6.large.2",
            "network": [{"uuid": "net-1", "fixed_ip_v4": "10.0.0.1"}],
            "volume_attached": [{"volume_id": VOLUME, "boot_index": 0}]}  # fmt: skip
SUBNET = {"id": "net-1", "vpc_id": VPC}
STATES = {
    "a state": {"version": 4, "terraform_version": "1.5.7", "resources": [
        {"mode": "managed", "type": "huaweicloud_compute_instance", "instances": [{"attributes": INSTANCE}]},
        {"mode": "managed", "type": "huaweicloud_vpc_subnet", "instances": [{"attributes": SUBNET}]},
    ]},
    "show -json": {"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [
        {"mode": "managed", "type": "opentelekomcloud_compute_instance_v2", "values": INSTANCE},
        {"mode": "managed", "type": "opentelekomcloud_vpc_subnet_v1", "values": SUBNET},
    ]}]}}},
}  # fmt: skip


@pytest.mark.parametrize("form", STATES)
def test_a_state_of_terraform_is_read(form):
    """Servers, what is attached to them, and the VPC by way of their subnet."""
    inventory = read(json.dumps(STATES[form], indent=1), "terraform.tfstate")

    assert inventory.servers.loc[0, ["server_id", "az", "vpc_id", "private_ips"]].tolist() == [
        ID,
        "az-1",
        VPC,
        "10.0.0.1",
    ]
    assert inventory.attachments[["volume_id", "bootable"]].to_numpy().tolist() == [[VOLUME, True]]


def test_an_export_of_the_console_is_taken_apart():
    """Specifications, addresses and payment stand together in a cell; what the console shows as AZ is unread."""
    head = ["名称", "ID", "可用区", "状态", "规格/镜像", "IP地址", "计费模式", "企业项目", "标签"]
    row = ["erp", ID, "可用区1", "关机", "4vCPUs | 16GiB | s6.xlarge.4", "10.0.0.1 (私有)\n80.1.1.1 (弹性公网)",
           "按需\n2026/03/01 创建", "default", "--"]  # fmt: skip

    inventory = read(book_of([head, row], "ECS"), "x.xlsx")

    server = inventory.servers.iloc[0]
    assert server[["status", "vcpus", "ram_gib", "flavor_id"]].tolist() == ["SHUTOFF", 4, 16.0, "s6.xlarge.4"]
    assert server[["private_ips", "billing", "enterprise_project_id"]].tolist() == ["10.0.0.1", "on demand", "0"]
    assert {"az", "vpc_id", "tags", "locked"} <= inventory.unread("servers")
    assert inventory.reading.query("what == 'not told'")["from"].tolist() == ["az, vpc_id"]


def test_merged_cells_are_filled_down_and_told():
    """A VPC written once for three servers is the VPC of all three."""
    rows = [HEAD.split(","), *([f"{at}{ID[1:]}", "a", "ACTIVE", "az-1", VPC if not at else None] for at in range(3))]

    inventory = read(book_of(rows, merged=["E2:E4"]), "x.xlsx")

    assert inventory.servers["vpc_id"].tolist() == [VPC] * 3
    assert inventory.reading.query("what == 'filled'")["row"].tolist() == [3, 4]


def test_a_formula_without_a_value_is_named():
    """No spreadsheet has worked it out yet; its place and what to do are told."""
    rows = [HEAD.split(","), [ID, "erp", "ACTIVE", '="az-"&1', VPC]]

    with pytest.raises(InventoryError, match=r"x\.xlsx servers, row 2, column az: This is a formula without a value"):
        read(book_of(rows), "x.xlsx")


@pytest.mark.parametrize("word", ["None", "NULL", "N/A", "nan", "--", "-", "无"])
def test_words_for_nothing_are_nothing_where_none_can_be_meant(word):
    """A key pair of that name is none; a server of that name is one."""
    row = read(f"{HEAD},key_name\n{ROW.replace('erp', word)},{word}").servers.iloc[0]

    assert pd.isna(row["key_name"])
    assert row["name"] == word


@pytest.mark.parametrize(
    ("word", "status"), [("运行中", "ACTIVE"), ("Stopped", "SHUTOFF"), ("active", "ACTIVE"), ("已关机", "SHUTOFF")]
)
def test_words_of_the_console_are_the_services(word, status):
    """A status means what the console means by it."""
    assert read(f"{HEAD}\n{ROW.replace('ACTIVE', word)}").servers["status"].tolist() == [status]


def test_an_unknown_status_is_unreadable_and_blocks_nobody():
    """It is named; a rule that needs it is unverified. What the person says of it counts."""
    data = f"{HEAD}\n{ROW.replace('ACTIVE', '起動中')}"

    unknown = read(data)
    told = read(data, words={"status": {"起動中": "ACTIVE"}})

    assert unknown.reading.query("what == 'not understood'")["from"].tolist() == ["起動中"]
    assert check_eligibility(unknown).verdicts["verdict"].tolist() == ["unknown"]
    assert told.servers["status"].tolist() == ["ACTIVE"]


def test_the_person_says_which_heading_is_which_column():
    """The mapping wins, is noted, and a heading that is not there is a mistake."""
    data = f"Ref,Host,State\n{ID},erp,Running\n{OTHER},web,Stopped\n"

    inventory = read(data, columns={"Ref": "server_id", "Host": "name"})

    assert inventory.servers[["server_id", "name"]].to_numpy().tolist() == [[ID, "erp"], [OTHER, "web"]]
    assert inventory.reading.query("what == 'mapped'")["column"].tolist() == ["Ref", "Host"]
    with pytest.raises(InventoryError, match="No heading is called Rfe"):
        read(f"{HEAD}\n{ROW}", columns={"Rfe": "server_id"})


def test_a_list_of_dicts_is_a_table():
    """What a program has in memory is read as its file would be."""
    inventory = read_inventory([{"ID": ID, "Name": "erp", "Status": "Running"}])

    assert inventory.servers[["server_id", "name", "status"]].to_numpy().tolist() == [[ID, "erp", "ACTIVE"]]


@pytest.mark.parametrize("tag", ['table:number-rows-repeated="900000000"', 'table:number-columns-repeated="16000"'])
def test_repeated_cells_of_opendocument_are_counted_before_they_are_made(tag):
    """A line of XML may stand for a million rows."""
    data = ods_of([*ROWS, ROWS[1]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read("content.xml").decode()
    where = "<table:table-row" if "rows" in tag else "<table:table-cell"
    at = content.rindex(where) + len(where)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"{content[:at]} {tag}{content[at:]}")

    with pytest.raises(InventoryError, match="more than"):
        read(made.getvalue(), "x.ods")


def test_texts_that_cells_of_an_old_workbook_share_are_counted(monkeypatch):
    """A text of eight kilobytes in each of many cells is in memory once a cell."""
    monkeypatch.setenv("SDRS_NB_LIMIT_SHARED_TEXT_BYTES", "100000")

    with pytest.raises(InventoryError, match="share long texts"):
        read(xls_of([["x"] * 60] * 60, texts=["y" * 8000]), "x.xls")


CELLS = st.sampled_from(["", "ID", "名称", "status", "Total", "--", ID, "Running", "AZ1", "10.0.0.1"]) | st.text(
    max_size=6
)


@settings(max_examples=150, deadline=2000)
@given(rows=st.lists(st.lists(CELLS, max_size=6), max_size=6), separator=st.sampled_from([",", ";", "\t", "|"]))
def test_any_table_of_strings_is_an_inventory_or_an_inventory_error(rows, separator):
    """As a frame, as records and as text: nothing else comes of it, soon."""
    width = max(map(len, rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows]
    frame = pd.DataFrame(filled[1:], columns=filled[0] if filled else None)
    records = [dict(zip(filled[0], row, strict=True)) for row in filled[1:]] if filled else []
    text = "\n".join(separator.join(row) for row in rows).encode("utf-8", "replace")

    for source, name in ((frame, None), (records, None), (text, "x")):
        try:
            assert isinstance(read_inventory(source, name=name), Inventory)
        except InventoryError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


def test_every_note_is_a_row_of_the_table_reading():
    """The columns are those of the table, and an inventory of the cloud has none of them."""
    reading = read(f"{HEAD},Owner\n{ROW},Li").reading

    assert list(reading) == list(READING.columns)
    assert reading["what"].tolist() == ["kept"]
    assert read_inventory(pd.DataFrame([dict(zip(*ROWS, strict=True))])).reading.empty
