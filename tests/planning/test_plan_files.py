"""Whatever JSON a plan's file holds, reading it ends in the plan or in one sentence."""

import copy
import json

import pytest

import sdrs_nb
from sdrs_nb.errors import PlanError
from sdrs_nb.inventory.notes import Note, in_brief, reading_frame
from sdrs_nb.planning import freezing
from sdrs_nb.planning.approvals import approve, load_approval, save_approval
from tests.builders import a_server, an_inventory

#: What JSON can say in the place of something else.
OTHERS = {
    "null": None,
    "true": True,
    "zero": 0,
    "a huge number": 10**300,
    "a fraction": 1.5,
    "a text": "x",
    "half a character": "\ud800",
    "a list": [],
    "an object": {},
    "a list of lists": [[1]],
}  # fmt: skip


@pytest.fixture(scope="module")
def document():
    """A plan's document, as it is saved."""
    eligibility = sdrs_nb.check_eligibility(an_inventory())
    return sdrs_nb.plan_batches(eligibility, name_prefix="erp").to_document()


def places(value, path=()):
    """Yield the path of every node of a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


def at(document, path):
    """Return the node at ``path``."""
    for key in path:
        document = document[key]
    return document


def replaced(document, path, other):
    """Return the document with the node at ``path`` replaced."""
    if not path:
        return other
    changed = copy.deepcopy(document)
    *way, last = path
    node = changed
    for key in way:
        node = node[key]
    node[last] = other
    return changed


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_document_with_any_node_replaced_is_a_plan_or_refused(document, other):
    """Changed as it is, and with its seal made again over the change, as somebody who knows the format would."""
    read = longest = 0
    for path in places(document):
        if at(document, path) == other:
            continue
        changed = replaced(document, path, other)
        sealed = freezing.seal({k: v for k, v in changed.items() if k not in {"format", "version", "checksum"}}) \
            if isinstance(changed, dict) and other != "\ud800" else changed  # fmt: skip
        for given in (changed, sealed):
            try:
                read += isinstance(sdrs_nb.Plan.from_document(given), sdrs_nb.Plan)
            except PlanError as error:
                longest = max(longest, len(str(error)))

    # Only what is sealed again and says nothing new is read: format and version, which sealing puts back.
    assert read <= 20
    assert longest < 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": "sdrs_nb plan", "version": ' + b"9" * 5000 + b"}",
        b'{"format": "sdrs_nb plan", "version": [' + b"[" * 100_000,
        b'{"format": "sdrs_nb plan", "version": 1, "x": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"format": "sdrs_nb plan", "version": 1, "fingerprint": "\\ud800"}',
        b'{"format": "sdrs_nb plan", "version": 1, "format": "sdrs_nb plan"}',
        b'{"format": "sdrs_nb plan", "version": NaN}',
        b'{"format": "sdrs_nb plan", "version": 1, "checksum": {}}',
    ],
)
def test_files_that_are_no_plan(content, tmp_path):
    """One sentence that names the file; an approval's file answers alike."""
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    for read in (sdrs_nb.Plan.load, load_approval):
        with pytest.raises(PlanError, match=r"plan\.json"):
            read(path)


def test_a_document_that_no_json_could_be_is_refused():
    """Objects of Python and circles are no plan either."""
    circle = {"format": "sdrs_nb plan", "version": 1}
    circle["itself"] = circle

    for given in (circle, {"format": "sdrs_nb plan", "version": 1, "x": {1, 2}}, None, 3, "plan"):
        with pytest.raises(PlanError):
            sdrs_nb.Plan.from_document(given)


def test_an_approval_with_any_field_of_another_kind_is_refused(document, tmp_path):
    """Its file is typed as the plan's is."""
    plan = sdrs_nb.Plan.from_document(document)
    path = save_approval(approve(plan, "li"), tmp_path / "approval.json")
    good = json.loads(path.read_text(encoding="utf-8"))

    assert load_approval(path).fingerprint == plan.fingerprint
    for field in good:
        for other in (10**300, {"x": 1}, [[]], "\ud800"):
            path.write_text(json.dumps(good | {field: other}))
            with pytest.raises(PlanError, match=r"approval\.json"):
                load_approval(path)


def test_what_was_done_while_reading_and_what_selected_nobody_are_kept_and_name_no_other_plan(tmp_path):
    """Whoever gets the file sees both; the plan is the same plan, by its fingerprint and by what is sent."""
    rows = an_inventory(servers=[a_server()]).servers
    read = sdrs_nb.read_inventory(rows.rename(columns={"name": "Instance name", "az": "Zone"}).assign(owner="li"))
    read = read.with_frame("groups", an_inventory().groups)
    told, plain = (sdrs_nb.check_eligibility(each) for each in (read, read.with_frame("servers", read.servers)))
    plain.inventory._notes = ()

    plan = sdrs_nb.plan_batches(told, name_prefix="erp", include_unknown=True, open_points=["web-9 is not found."])
    bare = sdrs_nb.plan_batches(plain, name_prefix="erp", include_unknown=True)
    again = sdrs_nb.Plan.load(plan.save(tmp_path / "plan.json"))

    assert plan.fingerprint == bare.fingerprint == again.fingerprint
    assert (again.reading, again.open_points) == (plan.reading, ("web-9 is not found.",))
    assert {done.what: done.examples for done in again.reading} == {
        "guessed": ("Instance name → name", "Zone → az"), "kept": ("owner",),
    }  # fmt: skip
    assert not {"reading", "open_points"} & bare.to_document().keys()


@pytest.mark.parametrize("count", [0, 1, 20, 21, 999])
def test_reading_in_brief_tells_some_and_counts_the_rest(count):
    """However many headings were kept, one line tells the first and how many more there are."""
    notes = [Note("a.csv", "kept", column=f"c{at}") for at in range(count) for _twice in range(2)]

    brief = in_brief(reading_frame(notes), 20)

    assert [(done.count, len(done.examples)) for done in brief] == [(count, min(count, 20))] * (count > 0)
    assert all(done.sentence(5).endswith(f"+{count - 5}" if count > 5 else "c0") for done in brief)
