"""Recorded runs that need no cloud: a plan over made-up servers, what its batches came to, and the inventory after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.ledger.ledger import AttemptResult, BatchState, Ledger
from sdrs_nb.models import Approval, BatchOptions
from sdrs_nb.planning.planning import plan_batches
from sdrs_nb.running.runs import Run
from sdrs_nb.statuses import Stage
from tests.builders import (
    DR_AZ,
    a_group,
    a_pair,
    a_quota,
    a_server,
    a_volume,
    an_attachment,
    an_instance,
    an_inventory,
)

SCOPE = {"endpoint": "http://sandbox.test", "region": "r", "project_id": "p1"}


def an_estate(
    servers: int | Iterable[str],
    *,
    shared: Sequence[Sequence[str]] = (),
    statuses: Mapping[str, str] | None = None,
    group: Mapping[str, Any] | None = None,
    double: Mapping[str, Any] | None = None,
    pairs_used: int = 0,
) -> Inventory:
    """Return an inventory of production servers, of which those in ``statuses`` have an instance in that status.

    Each of ``shared`` is a volume on all of these servers; ``double`` changes DR servers, ``group`` the group.
    """
    names = [f"s{number:02d}" for number in range(servers)] if isinstance(servers, int) else list(servers)
    statuses = statuses or {}
    doubles = [f"dr-of-{each}" for each in statuses]
    pairs = [
        a_pair(f"system-of-{each}", f"system-of-dr-of-{each}", protected_instance_ids=f"instance-of-{each}")
        for each in statuses
    ]
    pairs += [
        a_pair(
            f"shared-{number}",
            f"dr-shared-{number}",
            protected_instance_ids=",".join(f"instance-of-{each}" for each in members if each in statuses),
        )
        for number, members in enumerate(shared)
        if any(each in statuses for each in members)
    ]
    return an_inventory(
        servers=[
            *(a_server(each) for each in names),
            *(a_server(each, az=DR_AZ, status="SHUTOFF", **(double or {})) for each in doubles),
        ],
        volumes=[a_volume(f"shared-{number}", multiattach=True) for number in range(len(shared))],
        attachments=[
            an_attachment(each, f"shared-{number}", device="/dev/vdb", bootable=False)
            for number, members in enumerate(shared)
            for each in members
        ],
        groups=[a_group(**(group or {}))],
        quotas=[a_quota(used=pairs_used)],
        protected_instances=[an_instance(each, status=status) for each, status in statuses.items()],
        replication_pairs=pairs,
    )


def a_run(
    ledger: Ledger, inventory: Inventory, *, rulebook: str = "huaweicloud", recorded: str = "", **plan: Any
) -> Run:
    """Return the recorded run of a plan for every eligible server of ``inventory``; nothing of it is sent.

    ``recorded`` is the version of another release's rule book that the plan names in place of ours.
    """
    options = plan.pop("options", BatchOptions())
    eligibility = check_eligibility(inventory, options=options, rulebook=rulebook)
    planned = plan_batches(eligibility, **{"name_prefix": "erp", **plan})
    planned = replace(planned, rulebook_version=recorded or planned.rulebook_version)
    approval = Approval(fingerprint=planned.fingerprint, who="li")
    return Run(ledger.create_run(scope=SCOPE, plan=planned, approval=approval, settings={}), ledger)


def ended(run: Run, *, failed: Iterable[str] = (), without: Iterable[str] = (), still: Iterable[str] = ()) -> Run:
    """Record that every batch of the run has ended, but those of ``still``; servers ``without`` have no instance.

    The job of each batch names the instances that it made.
    """
    for batch in run.plan.batches:
        job_id = f"job-of-{batch.batch_id}"
        attempt = run.ledger.intend(run.run_id, batch.batch_id, "0" * 64)
        run.ledger.answer(
            attempt, AttemptResult.ACCEPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, job_id=job_id
        )
        named = [f"instance-of-{each}" for each in batch.server_ids if each not in without]
        sub_jobs = [{"job_id": f"of-{one}", "entities": {"protected_instance_id": one}} for one in named]
        document = {"job_id": job_id, "status": "SUCCESS", "entities": {"sub_jobs": sub_jobs}}
        run.ledger.look(run.run_id, batch.batch_id, job_id, "SUCCESS", document)
        rows = [
            {
                "server_id": each,
                "stage": Stage.FAILED if each in failed or each in without else Stage.CREATED,
                "protected_instance_id": None if each in without else f"instance-of-{each}",
            }
            for each in batch.server_ids
        ]
        state = BatchState.ACCEPTED if batch.batch_id in still else BatchState.ENDED
        run.ledger.set_batch(run.run_id, batch.batch_id, state, rows=rows)
    return run
