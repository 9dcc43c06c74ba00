import pytest

from sdrs_nb.errors import PlanError
from sdrs_nb.models import instance_name
from sdrs_nb.planning.naming import NameRequest, name_batches
from sdrs_nb.rulebook import load_rulebook

BOOK = load_rulebook()


def wanted(count: int = 1, prefix: str = "erp", group: str = "finance") -> list[NameRequest]:
    """Return so many batches of one group that want a name."""
    return [NameRequest(prefix, group)] * count


@pytest.mark.parametrize(
    ("count", "last"),
    [
        pytest.param(1, "erp-001", id="one"),
        pytest.param(999, "erp-999", id="999"),
        pytest.param(1000, "erp-1000", id="1000 take four digits"),
    ],
)
def test_numbers_have_three_digits_and_more_when_needed(count, last):
    """Every batch has a prefix of its own, all with the same number of digits."""
    names, notes = name_batches(wanted(count), BOOK)

    assert names[-1] == last
    assert len(set(names)) == count
    assert len({len(name) for name in names}) == 1
    assert notes == []


@pytest.mark.parametrize(
    ("length", "shortened"), [pytest.param(1, 0, id="1"), pytest.param(55, 0, id="55"), pytest.param(59, 1, id="59")]
)
def test_a_prefix_without_room_for_its_number_is_shortened(length, shortened):
    """The name keeps to 59 characters, and a note says when the prefix was cut for that."""
    names, notes = name_batches(wanted(2, prefix="p" * length), BOOK)

    assert [len(name) for name in names] == [min(length + 4, 59)] * 2
    assert len([note for note in notes if "was shortened" in note]) == shortened


@pytest.mark.parametrize(
    ("length", "existing", "named"),
    [
        pytest.param(55, [], "p" * 55 + "-001", id="room for a number"),
        pytest.param(56, [], "p" * 56, id="no room"),
        pytest.param(59, [], "p" * 59, id="longest"),
        pytest.param(59, ["p" * 59 + "-0001"], "p" * 55 + "-001", id="borne already"),
    ],
)
def test_an_only_batch_keeps_a_long_prefix_as_it_was_typed(length, existing, named):
    """There is nothing to tell it from, unless instances bear the name."""
    names, notes = name_batches(wanted(1, prefix="p" * length), BOOK, existing=existing)

    assert names == [named]
    assert bool(notes) == bool(existing)


@pytest.mark.parametrize("prefix", ["", "p" * 60, "erp*"], ids=["0", "60", "star"])
def test_a_prefix_that_the_service_refuses_is_refused(prefix):
    """Prefixes of 0 or 60 characters or with other characters name the prefix and what is allowed."""
    with pytest.raises(PlanError, match="name prefix"):
        name_batches(wanted(prefix=prefix), BOOK)


def test_numbers_of_existing_instances_are_skipped():
    """A prefix under which instances exist is not used again, and a note says so."""
    names, notes = name_batches(wanted(2), BOOK, existing=["erp-001-0001", "erp-002x", "other"])

    assert names == ["erp-002", "erp-003"]
    assert "1 batch number was skipped" in notes[0]


def test_a_template_counts_within_the_group_that_it_names():
    """With the group in the template, each group's batches count from one."""
    requests = [*wanted(2), *wanted(1, group="sales")]

    names, _notes = name_batches(requests, BOOK, template="{group}-{batch:03d}")

    assert names == ["finance-001", "finance-002", "sales-001"]


def test_group_names_are_made_fit_for_prefixes():
    """Characters of a group's name that prefixes may not have become hyphens."""
    names, _notes = name_batches(wanted(group="pay roll <b>"), BOOK, template="{group}-{wave}-{batch:02d}")

    assert names == ["pay-roll-b--1-01"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        pytest.param("{group}-{batch:03d}" + "x" * 50, "does not fit group finance", id="overflow"),
        pytest.param("{server}-{batch}", "Use only the fields", id="unknown field"),
        pytest.param("{group.__class__}", "Use only the fields", id="attribute"),
        pytest.param("{batch:09999d}", "Use only the fields", id="huge width"),
        pytest.param("{batch", "Use only the fields", id="open brace"),
        pytest.param("{}", "Use only the fields", id="no name"),
        pytest.param("{group}", "gives more than one batch the prefix", id="same for two batches"),
    ],
)
def test_a_bad_template_is_refused(template, said):
    """A template that overflows, cannot be read or repeats itself is named with the remedy."""
    with pytest.raises(PlanError, match=said):
        name_batches(wanted(2), BOOK, template=template)


@pytest.mark.parametrize(("count", "notes"), [(18, 0), (19, 1)], ids=["59 + 5 bytes", "62 + 5 bytes"])
def test_names_long_in_bytes_are_noted(count, notes):
    """Chinese prefixes whose instance names exceed 64 bytes are allowed and noted."""
    _names, said = name_batches(wanted(prefix="中" * count), BOOK)

    assert len(said) == notes


def test_expected_instance_names_carry_the_mark_of_the_service():
    """The first instance of a request is called as the page shows."""
    assert instance_name("erp-001", 1) == "erp-001-0001"
