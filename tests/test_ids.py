"""One spelling of every id, whatever the spelling it comes in."""

import pandas as pd
import pytest

from sdrs_nb import BatchOptions, Inventory, check_eligibility, read_inventory
from sdrs_nb.ids import canonical, canonical_documents
from tests.builders import a_server, an_instance, an_inventory

UUID = "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426"
SPELLINGS = {
    "as it is": UUID,
    "upper case": UUID.upper(),
    "no-break spaces around": f"\u00a0 {UUID}\u3000",
    "zero-width space inside": f"{UUID[:10]}\u200b{UUID[10:]}",
    "line break at the end": f"{UUID}\r\n",
    "byte order mark before": f"\ufeff{UUID}",
    "soft hyphen inside": f"{UUID[:12]}\u00ad{UUID[12:]}",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("column", ["server_id", "volume_id", "group_id", "protected_instance_id"])
def test_every_spelling_of_a_uuid_is_one_id(text: str, column: str) -> None:
    """Letter case, white space and what is invisible make no other id."""
    assert canonical(text, column) == UUID


@pytest.mark.parametrize(
    ("column", "expected"),
    [("server_id", UUID), ("source_server_id", UUID), ("volume_id", UUID), ("user_id", UUID.replace("-", ""))],
)
def test_hyphens_are_put_back_where_ids_are_always_uuids(column: str, expected: str) -> None:
    """Ids of servers and volumes are UUIDs; those of users are 32 digits, and stay so."""
    assert canonical(UUID.replace("-", ""), column) == expected


@pytest.mark.parametrize("text", ["srv-A1", "0", "Ab-01", "c6.large.2"])
def test_any_other_id_stays_as_it_is(text: str) -> None:
    """What is no UUID keeps its letter case."""
    assert canonical(f" {text} ") == text


@pytest.mark.parametrize("between", [",", ", ", ";", "，", "、", " ", "\n"])
def test_a_list_of_ids_is_made_canonical_id_by_id(between: str) -> None:
    """However the two volumes of a pair are parted, they are two ids joined by a comma."""
    other = UUID[:-1] + "7"

    assert canonical(f"{UUID.upper()}{between}{other.replace('-', '')}", "volume_ids") == f"{UUID},{other}"


def test_documents_of_the_cloud_get_canonical_ids() -> None:
    """An instance whose server the cloud spells in capitals is that server's."""
    document = {"id": "PI-1", "source_server": UUID.upper(), "target_server": None, "name": UUID.upper()}

    (found,) = canonical_documents([document])

    assert found == {"id": "PI-1", "source_server": UUID, "target_server": None, "name": UUID.upper()}


@pytest.mark.parametrize("text", [*SPELLINGS.values(), UUID.replace("-", "")], ids=[*SPELLINGS, "no hyphens"])
def test_a_protected_server_is_found_in_every_spelling(text: str) -> None:
    """A protected server is protected whichever of two frames spells its id otherwise, and whoever asks for it."""
    frames = {"servers": pd.DataFrame([a_server(UUID)]), "protected_instances": pd.DataFrame([an_instance(text)])}
    mirrored = {"servers": pd.DataFrame([a_server(text)]), "protected_instances": pd.DataFrame([an_instance(UUID)])}

    for inventory in (Inventory(frames), read_inventory(frames), read_inventory(mirrored)):
        verdicts = check_eligibility(inventory, server_ids=[text]).verdicts
        assert verdicts[["server_id", "verdict"]].to_numpy().tolist() == [[UUID, "protected"]]


def test_options_and_choices_take_any_spelling() -> None:
    """Flavors by server, groups chosen and the group asked for are matched by their canonical ids."""
    inventory = an_inventory(servers=[a_server(UUID)])
    group = inventory.groups["group_id"].iloc[0]

    eligibility = check_eligibility(
        inventory, options=BatchOptions(flavors={UUID.upper(): "s6.large.2"}), group_choice={UUID.upper(): f" {group} "}
    )

    assert eligibility.options.flavors == {UUID: "s6.large.2"}
    assert eligibility.explain(f"\u200b{UUID}").group_id == group
