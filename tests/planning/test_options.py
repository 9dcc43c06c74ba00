"""A file of options: the template names every field, what is wrong is one sentence, and each reaches its stage."""

import re
from typing import Any

import pytest

import sdrs_nb
from sdrs_nb.errors import InventoryError, NothingEligibleError, PlanError, SettingsError
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.intake.documents import yaml_of
from sdrs_nb.models import BatchOptions, Pace
from sdrs_nb.planning.options import JobOptions, options_template, read_options
from tests.builders import GROUP, a_group, a_server, an_inventory

OTHER = "group-2"


@pytest.fixture
def estate():
    """Six servers, two of one name, that two groups take."""
    servers = [
        a_server(f"server-{at}", name=f"web-{at}", tags=f"env={'prod' if at % 2 else 'test'}") for at in range(5)
    ]
    servers.append(a_server("server-5", name="web-0"))
    return an_inventory(servers=servers, groups=[a_group(), a_group(OTHER, name="other")])


def planned(job: JobOptions, inventory: sdrs_nb.Inventory) -> sdrs_nb.Plan:
    """Return the plan that these options make."""
    eligibility = job.check(inventory, job.selection(inventory))
    return sdrs_nb.plan_batches(eligibility, **job.planning(inventory))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_names_every_field_and_sets_none(language):
    """As written it says nothing; with every # taken away each field has an example that is taken."""
    set_language(language)

    text = options_template()

    assert yaml_of(text) is None
    filled = yaml_of(re.sub(r"^#(?=[a-z_]+:)", "", text, flags=re.MULTILINE))
    assert filled.keys() == JobOptions.model_fields.keys()
    assert JobOptions(**filled).where == filled["where"]


def test_the_words_are_those_of_what_takes_them():
    """Every field of BatchOptions is one here, and the rest are options of check, plan and submit."""
    assert BatchOptions.model_fields.keys() < JobOptions.model_fields.keys()
    assert JobOptions(batch_limit=3, tags={"a": "b"}).batch == BatchOptions(batch_limit=3, tags={"a": "b"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch_limt: 5", "batch_limt"),
        ("batch_limit: many", "batch_limit"),
        ("- a list", "fields with values"),
        ("a: [", "not YAML"),
        ("pace: {fast: 1}", "fast"),
        ("wave_limit: 0", "wave_limit"),
        ("on_failure: explode", "on_failure"),
        ("tenancy: [1]", "tenancy"),
        ("rulebook: mars", "mars"),
        ("rulebook: otc prefix_alphabet=[a-", "Limit prefix_alphabet is no pattern"),
    ],
)
def test_a_wrong_file_is_one_error_that_names_it(tmp_path, text, said):
    """The file, the field and what it takes; nothing is ignored."""
    (tmp_path / "job.yaml").write_text(text)

    with pytest.raises(SettingsError, match=r"job\.yaml") as caught:
        read_options(tmp_path / "job.yaml")

    assert said in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    """A path that is no file names it."""
    with pytest.raises(SettingsError, match=r"none\.yaml"):
        read_options(tmp_path / "none.yaml")


def test_a_list_is_looked_for_beside_the_file(tmp_path, estate):
    """Options and list may lie in one folder, wherever the command runs."""
    (tmp_path / "names.txt").write_text("web-1\nweb-3")
    (tmp_path / "job.yaml").write_text("servers: names.txt\n")

    found = read_options(tmp_path / "job.yaml").selection(estate)

    assert found is not None
    assert found.server_ids == ("server-1", "server-3")


FIELDS: dict[str, tuple[Any, Any]] = {
    "servers": (["web-1", "server-2"], lambda plan: {*plan.servers["server_id"]} == {"server-1", "server-2"}),
    "where": ("tags.env == 'test'", lambda plan: {*plan.servers["server_id"]} == {"server-0", "server-2", "server-4"}),
    "batch_limit": (2, lambda plan: max(len(batch.server_ids) for batch in plan.batches) == 2),
    "tenancy": ("shared", lambda plan: plan.batches[0].tenancy == "shared"),
    "description": ("text", lambda plan: plan.batches[0].description == "text"),
    "tags": ({"a": "b"}, lambda plan: plan.batches[0].tags[0].key == "a"),
    "flavors": ({"web-1": "s6.large.2"}, lambda plan: "server-1" in dict(plan.batches[0].flavors)),
    "name_prefix": ("erp", lambda plan: plan.name_prefix == "erp"),
    "name_template": ("x-{batch:03d}", lambda plan: plan.batches[0].name_prefix == "x-001"),
    "wave_limit": (5, lambda plan: max(batch.wave for batch in plan.batches) == 2),
    "overrides": ([{"server_id": "web-1", "wave": 2}], lambda plan: plan.batches[-1].server_ids == ("server-1",)),
    "approvals_needed": (2, lambda plan: plan.approvals_needed == 2),
    "group_id": (OTHER, lambda plan: {batch.group_id for batch in plan.batches} == {OTHER}),
    "group_choice": ([OTHER, f"web-1={GROUP}"], lambda plan: {b.group_id for b in plan.batches} == {GROUP, OTHER}),
    "rulebook": ("otc", lambda plan: plan.rulebook.name == "otc"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_reaches_the_plan(estate, field):
    """What is said in the file is what is planned; servers may be named as in a list."""
    value, holds = FIELDS[field]
    more = {} if field in {"group_id", "group_choice"} else {"group_id": GROUP}

    plan = planned(JobOptions(**{field: value}, **more), estate)

    assert holds(plan)


def test_sending_is_what_submit_takes():
    """The last three reach the run as they stand."""
    job = JobOptions(on_failure="stop", enable_protection=True, pace={"groups_at_once": 2})

    assert job.sending == {
        "on_failure": "stop",
        "enable_protection": True,
        "pace": Pace(groups_at_once=2),
        "pilot": None,
        "pilot_auto": False,
    }


@pytest.mark.parametrize("field", ["flavors", "priority", "group_choice"])
def test_a_name_of_several_servers_is_refused_with_what_tells_them_apart(estate, field):
    """Whatever names a server names one."""
    job = JobOptions(**{field: {"web-0": GROUP if field == "group_choice" else 1 if field == "priority" else "f"}})

    with pytest.raises(PlanError, match="web-0 may be any of 2 servers"):
        planned(job, estate)


def test_a_list_that_names_nobody_is_refused_and_an_expression_that_nobody_satisfies_too(estate):
    """The first is a wrong list, the second leaves nothing to plan."""
    with pytest.raises(InventoryError, match="nobody is not found"):
        JobOptions(servers=["nobody"]).selection(estate)
    with pytest.raises(NothingEligibleError, match="No server is selected"):
        JobOptions(where="az == 'nowhere'").selection(estate)
