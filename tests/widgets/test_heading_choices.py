"""What a person says of headings: the choices without a screen, and the rows that show them."""

import html
import re

import pytest

import sdrs_nb
from sdrs_nb.inventory.notes import Heading
from sdrs_nb.shown.words import word
from sdrs_nb.widgets.heading_choices import SHOWN, HeadingChoices, offered, taken_for
from sdrs_nb.widgets.inventory_panel import InventoryPanel
from sdrs_nb.widgets.state import WorkbenchState
from tests.widgets.test_panels import settled

HOSTILE = "<img src=x onerror=alert(1)>"
#: No heading of it says which column the id is.
SENT = f"Ref,Host,Status,{HOSTILE}\n" + "".join(f"s-{at},web-{at},Running,{HOSTILE}{at}\n" for at in range(5))


def shown(table):
    """The texts of the rows of a table of headings."""
    values = [cell.value for line in table._rows.children[1:] for cell in line.children[:3]]
    assert not any(HOSTILE in value for value in values)
    return [
        html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", value, flags=re.DOTALL)).strip() for value in values
    ]


def test_a_file_that_could_not_be_read_is_read_again_with_what_its_headings_are():
    """The id is named, another heading left out: the same bytes then are an inventory, and the choices are kept."""
    panel = InventoryPanel(state=WorkbenchState())
    hidden = panel._mapping.layout.display

    panel.opener.drop._on_file("sent.csv", SENT.encode())
    settled(panel, lambda: panel.background.errors.value and panel.headings.fields)
    before, texts = panel.headings.again.disabled, shown(panel.headings)
    panel.headings.fields["Ref"].value = "server_id"
    panel.headings.fields[HOSTILE].value = ""
    assert not panel.headings.again.disabled
    panel.headings.again.click()
    settled(panel, lambda: panel.state.inventory is not None and panel.state.running is None)

    assert (hidden, before, panel._mapping.layout.display) == ("none", True, "")
    assert ["Ref", "s-0, s-1, s-2", word("kept")] == texts[:3]
    assert HOSTILE in texts
    servers = panel.state.inventory.servers
    assert servers["server_id"].tolist() == [f"s-{at}" for at in range(5)]
    assert HOSTILE not in servers
    assert panel.headings.again.disabled
    assert {panel.headings.fields[each].value for each in ("Ref", HOSTILE)} == {"server_id", ""}


def test_what_was_said_of_one_file_is_not_said_of_the_next():
    """Another source, or the cloud, begins anew; the failure of a reading that saw no heading keeps those known."""
    choices = HeadingChoices()
    choices.begin("a.csv")
    choices.set_headings([Heading("a.csv", "", "servers", "Host", what="guessed", columns=("name",))])
    choices.choose("Host", "hostname")
    changed = choices.is_changed
    choices.set_headings(())

    assert changed
    assert [one.heading for one in choices.headings] == ["Host"]
    assert not choices.is_changed
    choices.choose("Host", None)
    assert choices.is_changed
    choices.begin("b.csv")
    assert (choices.headings, choices.columns, choices.is_changed) == ((), {}, False)


@pytest.mark.parametrize(
    ("what", "columns", "told"),
    [
        ("", ("name",), "Name"),
        ("guessed", ("vcpus", "ram_gib"), "vCPUs, RAM GiB (guessed)"),
        ("mapped", ("name",), "Name (mapped)"),
        ("kept", (), "kept"),
        ("passed over", (), "left out, as you said"),
    ],
)
def test_what_a_heading_was_taken_for_is_said_in_words(what, columns, told):
    """Every way in which a heading is read; what needs a look is anything but the column's own name."""
    heading = Heading("a.csv", "", "servers", "X", what=what, columns=columns)
    choices = HeadingChoices()
    choices.set_headings([heading])

    assert taken_for(heading) == told
    assert choices.needs_a_look == bool(what)
    assert [value for _text, value in offered(heading)][:3] == [None, "", "server_id"]


def test_of_many_headings_those_that_need_a_look_come_first_and_the_rest_is_counted():
    """A workbook of hundreds of columns makes no hundreds of widgets."""
    own = [Heading("a.csv", "", "servers", f"own {at}", columns=("name",)) for at in range(SHOWN)]
    choices = HeadingChoices()
    choices.set_headings([*own, Heading("a.csv", "", "servers", "Owner", what="kept")])

    assert choices.headings[0].heading == "Owner"
    assert choices.more.startswith("1 more")


def test_every_reading_hands_over_what_its_headings_were_taken_for():
    """Own names, aliases, parts, what is kept, what the person said; in a file that is read and one that is not."""
    table = "server_id,Instance name,Specifications,Owner,Zone\ns-1,web,2 vCPUs | 4 GiB | s6.large.2,li,az-1\n"

    read = sdrs_nb.read_inventory(table.encode(), name="a.csv", columns={"Zone": "az", "Owner": ""})

    assert {one.heading: (one.what, *one.columns[:1]) for one in read.headings} == {
        "server_id": ("", "server_id"), "Instance name": ("guessed", "name"), "Zone": ("mapped", "az"),
        "Owner": ("passed over",), "Specifications": ("guessed", "vcpus"),
    }  # fmt: skip
    assert read.assume({"drill_servers": "none"}).headings == read.headings
    assert "Owner" not in read.servers
    with pytest.raises(sdrs_nb.InventoryError) as raised:
        sdrs_nb.read_inventory(b"Ref,Host\n1,web\n", name="b.csv")
    assert {one.heading: one.examples for one in raised.value.headings} == {"Ref": ("1",), "Host": ("web",)}
