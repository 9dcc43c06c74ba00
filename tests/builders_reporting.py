"""Runs of any size as the ledger holds them, without a cloud."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sdrs_nb
from sdrs_nb.models import Approval, Pace
from sdrs_nb.running.runs import open_run
from tests.builders import GROUP, a_server, an_inventory

BEGAN = datetime(2026, 1, 31, 9, tzinfo=UTC)


SCOPE = {"endpoint": "https://sdrs.test", "region": "test-1", "project_id": "p1"}


def a_recorded_run(
    ledger, servers=3, *, blocked=1, name="db-{n:04}", failing=(), stage="created", scope=SCOPE, approval=None,
    pilot=None, **kept
):  # fmt: skip
    """Record a run of ``servers`` servers, with a job per batch; ``blocked`` more were left out.

    Servers at the positions in ``failing`` failed, the others reached ``stage``; ``kept``: fields of its plan.
    """
    rows = [a_server(f"server-{n}", name=name.format(n=n)) for n in range(servers)]
    rows += [a_server(f"bad-{n}", name=f"bad-{n}", status="ERROR") for n in range(blocked)]
    eligibility = sdrs_nb.check_eligibility(an_inventory(servers=rows), group_id=GROUP)
    plan = replace(sdrs_nb.plan_batches(eligibility, name_prefix="t"), **kept)
    run_id = ledger.create_run(
        scope=scope,
        plan=plan,
        approval=approval or Approval(fingerprint=plan.fingerprint, who="An Operator", when=BEGAN),
        settings=Pace().model_dump(),
        pilot=pilot,
    )
    for number, batch in enumerate(plan.batches):
        _walk(ledger, run_id, number, batch, failing, stage)
    ledger.set_run(run_id, "done")
    return open_run(run_id, ledger)


def _walk(ledger, run_id, number, batch, failing, stage):
    job_id = f"job-{number}"
    attempt = ledger.intend(run_id, batch.batch_id, "0" * 64)
    ledger.answer(attempt, "accepted", state="accepted", stage="accepted", job_id=job_id)
    failed = {server for server in batch.server_ids if int(server.split("-")[1]) in failing}
    document = a_job(job_id, number, batch.server_ids, failed)
    ledger.look(run_id, batch.batch_id, job_id, document["status"], document)
    rows = [
        {
            "server_id": server,
            "stage": "failed" if server in failed else stage,
            "protected_instance_id": f"instance-of-{server}",
            "dr_server_id": f"dr-{server}",
            "error_code": "Ecs.0018" if server in failed else None,
            "message": "the flavor is sold out" if server in failed else "",
        }
        for server in batch.server_ids
    ]
    ledger.set_servers(run_id, batch.batch_id, rows)
    ledger.set_batch(run_id, batch.batch_id, "ended")


def a_job(job_id, number, server_ids, failed=()):
    """Return a job document: it begins ``number`` minutes after the first and each sub-job takes a minute more."""
    begin = BEGAN + timedelta(minutes=number)

    def times(minutes):
        return {"begin_time": begin.isoformat(), "end_time": (begin + timedelta(minutes=minutes)).isoformat()}

    subs = [
        {
            "job_id": f"{job_id}-{n}",
            "job_type": "createProtectedInstanceNoCG",
            "status": "FAIL" if server in failed else "SUCCESS",
            **times(n + 1),
            "error_code": "Ecs.0018" if server in failed else None,
            "fail_reason": "the flavor is sold out" if server in failed else None,
            "entities": {"protected_instance_id": f"instance-of-{server}", "native_server_id": f"dr-{server}"},
        }
        for n, server in enumerate(server_ids)
    ]
    status = "FAIL" if failed else "SUCCESS"
    return {
        "job_id": job_id,
        "job_type": "batchCreateProtectedInstanceNoCG",
        "status": status,
        **times(len(subs)),
        "error_code": None,
        "fail_reason": None,
        "entities": {"server_group_id": GROUP, "sub_jobs": subs},
    }
