"""Runbook 20 at a site without batch calls, which the environment names as Open Telekom Cloud."""

import pytest

import sdrs_nb
from sdrs_nb.runbooks.runbooks import run_runbook
from tests.builders_sites import a_site_without_batch_calls, sent
from tests.notebooks.test_runbooks import outputs


@pytest.fixture
def site(monkeypatch):
    """The running site; the environment points to it."""
    with a_site_without_batch_calls() as (sandbox, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield sandbox


def run_20(folder, name, **parameters):
    """Run runbook 20 with its own folder and return what it shows."""
    return outputs(run_runbook("20_protect_servers", folder / f"{name}.ipynb", {"out": str(folder), **parameters}))


def approved(folder, **parameters):
    """Run it as far as the approval, and return the fingerprint of the plan that it shows."""
    assert "Nothing was sent. To approve this plan" in run_20(folder, "review", **parameters)
    return sdrs_nb.Plan.load(folder / "plan.json").fingerprint


@pytest.mark.slow
def test_runbook_20_serves_open_telekom_cloud_one_by_one(site, tmp_path):
    """Without a word about rules: single creates only, every planned server at its end, the reason shown."""
    shown = run_20(tmp_path, "run", approve=approved(tmp_path))

    run = sdrs_nb.open_run(sdrs_nb.list_runs()["run_id"].iloc[0])
    assert "Rule book otc: otc.t-systems.com is Open Telekom Cloud." in shown
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    assert sent(site) == [("POST", "/protected-instances", 200)] * len(run.servers)


@pytest.mark.slow
def test_runbook_20_with_batch_creates_stops_after_one_404_and_says_how_to_go_on(site, tmp_path):
    """Once run again as the message says, it ends right."""
    batch = tmp_path / "batch"
    approve = approved(batch, rulebook="huaweicloud")

    with pytest.raises(sdrs_nb.RunbookFailed, match=r"no batch create.*-p rulebook otc and another folder") as stopped:
        run_20(batch, "run", rulebook="huaweicloud", approve=approve)
    first = sent(site)
    single = tmp_path / "single"
    run_20(single, "run", rulebook="otc", approve=approved(single, rulebook="otc"))

    assert stopped.value.cause is sdrs_nb.NoBatchCallError
    assert first == [("POST", "/protected-instances/batch", 404)]
    assert {(method, path) for method, path, _status in sent(site)[1:]} == {("POST", "/protected-instances")}
