"""Bad input: one clear sentence that names the object and says what to do; nothing is sent, nothing is lost."""

import re

import httpx
import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.running.runs import list_runs
from tests.builders import a_group, a_server, an_inventory


async def sent(sandbox):
    """Return the requests the sandbox received that could have changed something."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as client:
        requests = (await client.get("/_sandbox/requests")).json()
    return [request for request in requests if request["method"] != "GET"]


def plan_of(inventory, name_prefix="erp", **asked):
    """Check and plan an inventory."""
    options = sdrs_nb.BatchOptions(**asked.pop("options", {}))
    return sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory, options=options, **asked), name_prefix=name_prefix)


def test_an_empty_inventory_has_nothing_to_plan():
    """An inventory without servers can be checked, and planning says that there is none."""
    inventory = an_inventory(servers=[])

    with pytest.raises(sdrs_nb.PlanError, match="nothing to plan"):
        plan_of(inventory)


def test_an_unknown_group_is_named_with_those_there_are():
    """Asking for a group that is not in the project names it and the groups that are."""
    with pytest.raises(sdrs_nb.PlanError, match=r"nope.*group-1"):
        sdrs_nb.check_eligibility(an_inventory(), group_id="nope")


def test_a_group_that_is_starting_blocks_its_servers_with_its_status():
    """A group in status starting leaves nobody eligible, and the reason names the group's status."""
    inventory = an_inventory(groups=[a_group(status="starting")])

    with pytest.raises(sdrs_nb.PlanError, match="starting"):
        plan_of(inventory)


@pytest.mark.parametrize(
    ("prefix", "named"),
    [("", "''|empty"), ("x" * 60, "59"), ("erp*", r"erp\*")],
    ids=["0 characters", "60 characters", "an asterisk"],
)
def test_a_bad_prefix_is_refused_with_its_limits(prefix, named):
    """A prefix the service would refuse (SDRS.0202) is refused before anything is planned."""
    with pytest.raises(sdrs_nb.PlanError, match=named):
        plan_of(an_inventory(), name_prefix=prefix)


@pytest.mark.parametrize("prefix", ["x", "x" * 59, "生产.web_1-a"], ids=["1", "59", "Chinese"])
def test_a_prefix_within_the_limits_is_taken(prefix):
    """1 to 59 characters of Chinese, letters, digits, dot, underscore, hyphen are fine."""
    plan = plan_of(an_inventory(), name_prefix=prefix)

    assert all(1 <= len(batch.name_prefix) <= 59 for batch in plan.batches)


def test_eleven_tags_are_refused():
    """More than ten tags (SDRS.2203) are refused with both figures."""
    with pytest.raises(sdrs_nb.PlanError, match=r"11.*10|10.*11"):
        plan_of(an_inventory(), options={"tags": {f"key{n}": "v" for n in range(11)}})


def test_duplicate_tag_keys_are_refused_by_name():
    """Two tags with one key (SDRS.2209) are refused; the key is named."""
    tags = [{"key": "tier", "value": "a"}, {"key": "tier", "value": "b"}]

    with pytest.raises(sdrs_nb.PlanError, match="tier"):
        plan_of(an_inventory(), options={"tags": tags})


async def test_wrong_credentials_are_one_error_and_one_try(sandbox):
    """A wrong secret key fails on the first cheap call; the key is not tried often enough to be locked."""
    keys = sandbox.credentials
    stranger = sdrs_nb.connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        access_key=keys["access_key"],
        secret_key="not-the-secret",
        transport=httpx.ASGITransport(sandbox.app),
    )

    with pytest.raises(sdrs_nb.AuthenticationError) as refused:
        await sdrs_nb.load_inventory(stranger)
    await stranger.close()

    assert "not-the-secret" not in str(refused.value)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as client:
        assert len((await client.get("/_sandbox/requests")).json()) == 1


async def test_an_unreachable_cloud_is_named(unused_tcp_port):
    """A cloud that does not answer is named by host with what to check."""
    nobody = sdrs_nb.connect(
        endpoint=f"http://127.0.0.1:{unused_tcp_port}", project_id="p", access_key="a", secret_key="s", attempts=1
    )

    with pytest.raises(sdrs_nb.CloudUnreachable, match=r"127\.0\.0\.1"):
        await sdrs_nb.load_inventory(nobody)

    await nobody.close()


def test_a_csv_with_wrong_values_names_every_problem(tmp_path):
    """File, row and column of each in the same error."""
    path = tmp_path / "estate.csv"
    path.write_text("server_id,name,status,az,vcpus,locked\ns1,a,ACTIVE,az-1,four,maybe\n")

    with pytest.raises(sdrs_nb.InventoryError) as refused:
        sdrs_nb.read_inventory(path)

    problems = refused.value.problems
    assert {problem.column for problem in problems} == {"vcpus", "locked"}
    assert re.search(r"estate.*row 2, column locked", str(refused.value))


def test_a_server_listed_twice_names_both_rows():
    """Two different rows with one id are refused, the rows named."""
    frame = pd.DataFrame([a_server("s1"), a_server("s2"), a_server("s1", name="another")])

    with pytest.raises(sdrs_nb.InventoryError, match=r"s1") as refused:
        sdrs_nb.read_inventory(frame)

    assert "2" in str(refused.value)
    assert "4" in str(refused.value)


async def test_nothing_is_sent_and_nothing_recorded_for_bad_input(sandbox, cloud):
    """Planning with a bad prefix against a live cloud leaves neither a request nor a run behind."""
    inventory = await sdrs_nb.load_inventory(cloud)

    with pytest.raises(sdrs_nb.PlanError):
        plan_of(inventory, name_prefix="bad prefix!")

    assert await sent(sandbox) == []
    assert list_runs().empty
