"""Two readings of the same documents, written apart: what our rules say and what the sandbox does."""

import json
from collections import defaultdict

import httpx
import pytest

import sdrs_nb
from sdrs_nb.errors import CloudError

#: Blocked by us and accepted by the sandbox, because it fails later, inside the job.
FAILS_IN_THE_JOB = {"S22"}
#: A server that fits no group is offered to some group, which refuses it for whichever comes first, AZ or VPC.
NO_PLACE = {"SDRS.1303", "SDRS.1304"}


async def answer(cloud, sandbox, group_id, server_ids):
    """Return the code with which a request for these servers is refused, None when it is accepted."""
    servers = [{"server_id": server_id} for server_id in server_ids]
    wanted = {"name_prefix": "contract", "server_group_id": group_id, "servers": servers}
    try:
        await cloud.sdrs.batch_create(json.dumps({"protected_instances": wanted}).encode())
    except CloudError as error:
        return error.code
    httpx.post(f"{sandbox.endpoint}/_sandbox/reset", json={}).raise_for_status()
    return None


@pytest.mark.parametrize("seed", [7, 21])
async def test_the_sandbox_takes_what_we_call_eligible_and_refuses_the_rest(seed):
    """Each eligible server, with its cluster, is accepted; each blocked one is refused with a code of our rules."""
    surprises = []
    with sdrs_nb.start_sandbox(servers=120, seed=seed, speed=0) as sandbox:
        async with sandbox.connect() as cloud:
            eligibility = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))
            findings, groups = eligibility.findings, eligibility.inventory.groups
            somewhere = groups["group_id"][groups["status"].isin(["available", "protected"])].iloc[0]
            together = defaultdict(list)
            for row in eligibility.clusters.itertuples():
                together[row.cluster_id].append(row.server_id)
            clusters = {member: members for members in together.values() for member in members}
            joins = eligibility.candidates.groupby("server_id")["group_id"].first().to_dict()
            for row in eligibility.verdicts.fillna("").itertuples():
                good = row.verdict in {"eligible", "warning"}
                servers = clusters.get(row.server_id, [row.server_id]) if good else [row.server_id]
                group_id = row.group_id or joins.get(row.server_id, somewhere)
                code = await answer(cloud, sandbox, group_id, servers)
                mine = findings[(findings["server_id"] == row.server_id) & (findings["severity"] == "blocker")]
                prevented = {code for rule in mine["rule"] for code in codes_of(eligibility.rulebook.rule(rule))}
                if prevented & NO_PLACE:
                    prevented |= NO_PLACE
                if good != (code is None) and not FAILS_IN_THE_JOB.intersection(mine["rule"]):
                    surprises.append((row.server_id, row.verdict, code, mine["rule"].tolist()))
                if code is not None and code not in prevented:
                    surprises.append((row.server_id, row.verdict, code, mine["rule"].tolist()))

    assert surprises == []


def codes_of(rule):
    """Return every code that a rule prevents, under any of its cases."""
    return {code for variant in ("", *rule.variants) for code in rule.codes_of(variant)}
