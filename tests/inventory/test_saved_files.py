"""Inventories that were saved before, or by hand: what they say today is what they said, or not known."""

import random
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from sdrs_nb import Inventory, NothingEligibleError, check_eligibility, plan_batches, read_inventory
from sdrs_nb.errors import InventoryError
from sdrs_nb.inventory.inventory import write_template
from sdrs_nb.tables import INVENTORY_TABLES
from tests.mutilations import estate, frames_of

DATA = Path(__file__).parents[1] / "data"
#: Thirty servers of a sandbox as a release wrote them whose ``sources`` did not name unread columns.
SAVED = {path.stem: pd.read_csv(path, dtype="string", encoding="utf-8-sig") for path in DATA.glob("saved_estate/*.csv")}
#: What that release said of them, where it was neither "warning" nor "eligible".
SAID = {
    "0127115f-acc1-448b-a5e4-128d18ff0dac": "blocked",
    "0b729038-ee75-4d02-a6b9-bdcd9df5ab9f": "not a candidate",
    "1adb798c-e964-45fb-a264-0533a4b04e17": "protected",
    "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426": "protected",
    "6d2c7a67-ba2d-44f9-aa64-e610a0a14dd5": "blocked",
    "6eb16779-406a-484c-a26c-d22ef421a969": "blocked",
    "87925cd3-0b4b-445d-a0b1-17b5b7ba30fe": "blocked",
}
COLUMNS_GONE = ["task_state", "key_name", "lock_source", "lock_scene", "tags"]


def verdicts(inventory):
    """Return the verdict of each server by its id."""
    found = check_eligibility(inventory).verdicts
    return dict(zip(found["server_id"], found["verdict"], strict=True))


@pytest.fixture(params=["folder", "workbook"])
def saved(request, tmp_path):
    """Write frames of text as a folder or a workbook, and read that."""

    def save(frames):
        if request.param == "folder":
            for name, frame in frames.items():
                frame.to_csv(tmp_path / f"{name}.csv", index=False)
            return read_inventory(tmp_path)
        book = openpyxl.Workbook()
        for name, frame in frames.items():
            sheet = book.create_sheet(name)
            for row in (list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()):
                sheet.append(row)
        del book["Sheet"]
        book.save(tmp_path / "estate.xlsx")
        return read_inventory(tmp_path / "estate.xlsx")

    return save


def test_an_inventory_of_an_older_release_says_what_it_said(saved):
    """It was read from a cloud, so its blanks mean "none", as they did; nothing is missing."""
    inventory = saved(SAVED)

    assert {
        server: verdict for server, verdict in verdicts(inventory).items() if verdict not in ("warning", "eligible")
    } == SAID
    assert check_eligibility(inventory).missing.empty


def test_an_older_inventory_without_some_columns_is_unknown_and_names_them(saved):
    """Nobody is planned by what the columns might have blocked; who was blocked by them is not plannable either."""
    inventory = saved(SAVED | {"servers": SAVED["servers"].drop(columns=COLUMNS_GONE)})

    eligibility = check_eligibility(inventory)

    assert inventory.unread("servers") == set(COLUMNS_GONE)
    by_key_pair = {"6d2c7a67-ba2d-44f9-aa64-e610a0a14dd5": "unknown"}
    found = dict(zip(eligibility.verdicts["server_id"], eligibility.verdicts["verdict"], strict=True))
    assert {server: verdict for server, verdict in found.items() if server in SAID} == SAID | by_key_pair
    assert {verdict for server, verdict in found.items() if server not in SAID} == {"unknown"}
    assert set(eligibility.missing["fact"]) == {f"servers.{column}" for column in COLUMNS_GONE}
    with pytest.raises(NothingEligibleError, match="task_state was not read"):
        plan_batches(eligibility, name_prefix="erp")


def test_one_sheet_in_capitals_protects_nobody_less(saved):
    """Servers whose instances name them in capitals are protected, and no plan has them."""
    instances = SAVED["protected_instances"]
    instances = instances.assign(source_server_id=instances["source_server_id"].str.upper())

    eligibility = check_eligibility(saved(SAVED | {"protected_instances": instances}))

    found = eligibility.verdicts.set_index("server_id")["verdict"]
    protected = {server for server, verdict in SAID.items() if verdict == "protected"}
    assert set(found.index[found == "protected"]) == protected
    planned = plan_batches(eligibility, name_prefix="erp").servers["server_id"]
    assert not protected & set(planned)


@pytest.mark.parametrize("spelt", [str.upper, str.lower], ids=["upper case", "lower case"])
def test_two_files_of_a_protected_server_are_enough(spelt, tmp_path):
    """A list of servers and one of instances, whatever letters the ids have: protected, though little else is known."""
    for path in DATA.glob("protected_in_upper_case/*.csv"):
        server_id = "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426"
        text = path.read_text(encoding="utf-8").replace(server_id.upper(), spelt(server_id))
        (tmp_path / path.name).write_text(text, encoding="utf-8")

    eligibility = check_eligibility(read_inventory(tmp_path))

    assert eligibility.verdicts["verdict"].tolist() == ["protected"]
    with pytest.raises(NothingEligibleError, match="protected already"):
        plan_batches(eligibility, name_prefix="erp")


def test_a_server_in_two_letter_cases_is_one_listed_twice():
    """Two rows that differ are named with both their numbers, and neither is taken for another server."""
    with pytest.raises(InventoryError, match="rows 2 and 3") as caught:
        read_inventory(DATA / "server_in_two_letter_cases.csv")

    (problem,) = caught.value.problems
    assert (problem.where, problem.row, problem.column) == ("server_in_two_letter_cases.csv", 3, "server_id")


def test_what_is_invisible_around_values_is_not_part_of_them():
    """No-break, ideographic and zero-width spaces of a web page are gone from ids, names, statuses and AZs."""
    servers = read_inventory(DATA / "ids_with_invisible_spaces.csv").servers

    read = servers[["server_id", "name", "status", "az", "vpc_id"]].iloc[0].tolist()
    assert read == [
        "00000001-1c2d-4e3f-8a5b-6c7d8e9f0001",
        "erp",
        "ACTIVE",
        "cn-north-4a",
        "7a1d0c52-9b1e-4c8a-8f0e-2f7f5e6a1b11",
    ]


@pytest.fixture(scope="module", params=[3, 11, 27])
def partly_read(request):
    """The estate of a sandbox of which eight columns, drawn by its seed, were not read."""
    inventory = estate(request.param, servers=15)
    frames = frames_of(inventory)
    columns = [
        (name, column)
        for name, frame in frames.items()
        for column in frame.columns
        if len(frame) and column not in INVENTORY_TABLES[name].required
    ]
    for name, column in random.Random(request.param).sample(columns, 8):
        frames[name] = frames[name].drop(columns=column)
    return Inventory(frames, inventory.sources, inventory.about)


@pytest.mark.parametrize("form", ["x.xlsx", "x"])
def test_what_was_not_read_stays_so_in_files(partly_read, form, tmp_path):
    """Workbook and folder give the same verdicts, the same unread columns and the same missing facts back."""
    write = partly_read.to_excel if form.endswith("xlsx") else partly_read.to_folder

    again = read_inventory(write(tmp_path / form))

    before, after = check_eligibility(partly_read), check_eligibility(again)
    assert {name: again.unread(name) for name in frames_of(again)} == {
        name: partly_read.unread(name) for name in frames_of(partly_read)
    }
    pd.testing.assert_frame_equal(after.verdicts, before.verdicts)
    pd.testing.assert_frame_equal(after.missing, before.missing)


def test_a_template_filled_with_an_estate_says_the_same_or_unknown(partly_read, tmp_path):
    """What was copied under the headings of a template is judged alike; columns left blank were not read."""
    write_template(tmp_path)
    for name, frame in frames_of(partly_read).items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)

    again = read_inventory(tmp_path)

    before, after = verdicts(partly_read), verdicts(again)
    assert {server for server in before if after[server] not in (before[server], "unknown")} == set()
    assert partly_read.unread("servers") <= again.unread("servers")
