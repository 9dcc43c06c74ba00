"""What a job document says."""

import json
from pathlib import Path

import pytest

from sdrs_nb.running.jobs import match_instances, read_job
from sdrs_nb.statuses import JobStatus

DATA = Path(__file__).parents[1] / "data"


def test_a_running_batch_job_shows_each_sub_job():
    """The published example of a batch under way reads as one success and one running sub-job."""
    job = read_job(json.loads((DATA / "job_running.json").read_text()))

    assert not job.is_finished
    assert job.counts == {"SUCCESS": 1, "RUNNING": 1}
    assert job.sub_jobs[0].dr_server_id == "b3f0c9de-91a4-4f0c-8a44-1c2d3e4f5061"
    assert job.sub_jobs[1].protected_instance_id == "c4d86f02-7f3d-4a0e-b0b5-02d7a8f1e622"


def test_a_failed_parent_keeps_what_its_sub_jobs_reached():
    """A parent that failed still says which of its sub-jobs succeeded."""
    job = read_job(json.loads((DATA / "job_failed.json").read_text()))

    assert job.is_finished
    assert (job.status, job.error_code) == (JobStatus.FAIL, "SDRS.1306")
    assert [sub_job.status for sub_job in job.sub_jobs] == [JobStatus.SUCCESS, JobStatus.FAIL]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        pytest.param({}, JobStatus.OTHER, id="nothing"),
        pytest.param({"status": "QUEUED"}, JobStatus.OTHER, id="a word nobody documented"),
        pytest.param({"status": "success", "entities": None}, JobStatus.SUCCESS, id="lower case, null entities"),
        pytest.param({"status": "INIT", "entities": {"sub_jobs": None}}, JobStatus.INIT, id="null sub-jobs"),
        pytest.param({"status": "INIT", "entities": ["x"]}, JobStatus.INIT, id="entities of an older record"),
        pytest.param({"status": "INIT", "entities": {"sub_jobs": "x"}}, JobStatus.INIT, id="sub-jobs of one"),
    ],
)
def test_incomplete_documents_are_read_without_guessing(document, status):
    """A field that is absent, null or unknown never reads as an end."""
    job = read_job(document)

    assert job.status == status
    assert job.sub_jobs == ()


def test_instances_are_matched_by_their_production_server_only():
    """An instance of another server with the same name is not taken for ours."""
    instances = [{"id": "i1", "name": "x", "source_server": "a"}, {"id": "i2", "name": "x", "source_server": "z"}]

    assert {server: found["id"] for server, found in match_instances(instances, ["a", "b"]).items()} == {"a": "i1"}
