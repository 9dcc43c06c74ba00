"""One id is one object, however each sheet or row spells it."""

from pathlib import Path

import openpyxl
import pytest

import sdrs_nb
from tests.builders import a_group, a_server, an_instance, an_inventory

DATA = Path(__file__).parents[1] / "data"
SERVER = "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426"
HEAD = "server_id,name,status,az,vpc_id"


def test_a_server_is_protected_whose_instance_spells_it_in_capitals():
    """Two files of one folder: the server in small letters, the instance that protects it in capitals."""
    inventory = sdrs_nb.read_inventory(DATA / "protected_in_upper_case")

    eligibility = sdrs_nb.check_eligibility(inventory)

    assert eligibility.verdicts[["server_id", "verdict"]].to_numpy().tolist() == [[SERVER, "protected"]]
    with pytest.raises(sdrs_nb.NothingEligibleError):
        sdrs_nb.plan_batches(eligibility, name_prefix="erp")


def test_a_workbook_whose_instances_are_in_capitals_says_the_same(tmp_path):
    """The same estate as a workbook, one sheet of it typed in another letter case."""
    other = SERVER.replace("1f9e", "2f9e")
    inventory = an_inventory(
        servers=[a_server(SERVER), a_server(other)], protected_instances=[an_instance(SERVER)], groups=[a_group()]
    )
    path = inventory.to_excel(tmp_path / "estate.xlsx")
    book = openpyxl.load_workbook(path)
    for row in book["protected_instances"].iter_rows(min_row=2):
        for cell in row:
            if cell.value == SERVER:
                cell.value = SERVER.upper()
    book.save(path)

    again = sdrs_nb.check_eligibility(sdrs_nb.read_inventory(path)).verdicts

    assert again["verdict"].tolist() == sdrs_nb.check_eligibility(inventory).verdicts["verdict"].tolist()
    assert again.set_index("server_id").loc[SERVER, "verdict"] == "protected"


def test_one_server_in_two_spellings_is_listed_twice(tmp_path):
    """Two rows of one id are named with both rows, though no two cells are the same."""
    path = tmp_path / "servers.csv"
    path.write_text(f"{HEAD}\n{SERVER},erp,ACTIVE,az-1,vpc\n{SERVER.upper()},ERP,ACTIVE,az-1,vpc\n", encoding="utf-8")

    with pytest.raises(sdrs_nb.InventoryError, match=r"row 3, column server_id: .* is listed twice, in rows 2 and 3"):
        sdrs_nb.read_inventory(path)


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\u00ad", " ", "\t"])
def test_what_is_invisible_around_an_id_is_no_part_of_it(tmp_path, blank):
    """Cells copied out of a web page or a chat."""
    path = tmp_path / "servers.csv"
    cells = [SERVER, "erp", "ACTIVE", "az-1", "vpc"]
    row = ",".join(f"{blank}{cell}{blank}" for cell in cells)
    path.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")

    servers = sdrs_nb.read_inventory(path).servers

    assert servers[["server_id", "vpc_id"]].to_numpy().tolist() == [[SERVER, "vpc"]]
