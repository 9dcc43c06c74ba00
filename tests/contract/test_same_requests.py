"""For the same intent our requests are the vendor SDK's: method, path, query and body, as the sandbox received them."""

import json
import urllib.request
from contextlib import suppress

import huaweicloudsdkecs.v2 as ecs
import huaweicloudsdkevs.v2 as evs
import huaweicloudsdksdrs.v1 as sdrs
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

import sdrs_nb
from sdrs_nb import loop
from sdrs_nb.models import Batch, Tag
from sdrs_nb.payloads.requests import payload_bytes

GROUP, SERVERS = "no-such-group", ("server-1", "server-2")


@pytest.fixture(scope="module")
def both():
    """One sandbox, and clients of both kinds on it."""
    with sdrs_nb.start_sandbox(servers=60, seed=3, speed=0) as sandbox:
        keys = sandbox.environment()
        credentials = BasicCredentials(
            keys["SDRS_NB_ACCESS_KEY"], keys["SDRS_NB_SECRET_KEY"], keys["SDRS_NB_PROJECT_ID"]
        )

        def client(kind):
            return kind.new_builder().with_credentials(credentials).with_endpoint(sandbox.endpoint).build()

        cloud = sandbox.connect()
        loop.wait(cloud.check())
        yield sandbox, cloud, client
        loop.wait(cloud.close())


def received(sandbox):
    """The requests so far, as what counts: method, path, query, body."""
    with urllib.request.urlopen(f"{sandbox.endpoint}/_sandbox/requests") as answer:
        return [{name: r[name] for name in ("method", "path", "query", "body")} for r in json.load(answer)]


async def quietly(work):
    """Await a call whose answer is an error of the cloud: the request is what is looked at."""
    try:
        return await work
    except sdrs_nb.SdrsError as error:
        return error


def batch_create_body():
    """The SDK's model of one batch with every optional field."""
    return sdrs.BatchCreateProtectedInstancesRequestBody(
        protected_instances=sdrs.BatchCreateProtectedInstancesRequestParams(
            name_prefix="erp-001",
            description="a description",
            server_group_id=GROUP,
            cluster_id="pool-1",
            primary_subnet_id="subnet-1",
            servers=[
                sdrs.ServerInfo(server_id=SERVERS[0], flavor_ref="s6.large.2"),
                sdrs.ServerInfo(server_id=SERVERS[1]),
            ],
            tenancy="dedicated",
            dedicated_host_id="host-1",
            tags=[sdrs.ResourceTag(key="tier", value="")],
        )
    )


def our_batch():
    """The same batch in our words."""
    return Batch(
        batch_id="b001",
        group_id=GROUP,
        name_prefix="erp-001",
        description="a description",
        cluster_id="pool-1",
        primary_subnet_id="subnet-1",
        server_ids=SERVERS,
        flavors={SERVERS[0]: "s6.large.2"},
        tenancy="dedicated",
        dedicated_host_id="host-1",
        tags=(Tag(key="tier", value=""),),
    )


DELETE = (
    b'{"protected_instances": [{"id": "i-1"}, {"id": "i-2"}], "delete_target_server": true, "delete_target_eip": false}'
)
INTENTS = {
    "batch create": (
        lambda client: client(sdrs.SdrsClient).batch_create_protected_instances(
            sdrs.BatchCreateProtectedInstancesRequest(body=batch_create_body())
        ),
        lambda cloud: cloud.sdrs.batch_create(payload_bytes(our_batch())),
    ),
    "batch delete": (
        lambda client: client(sdrs.SdrsClient).batch_delete_protected_instances(
            sdrs.BatchDeleteProtectedInstancesRequest(
                body=sdrs.BatchDeleteProtectedInstancesRequestBody(
                    protected_instances=[
                        sdrs.ResourceId(id="i-1"),
                        sdrs.ResourceId(id="i-2"),
                    ],
                    delete_target_server=True,
                    delete_target_eip=False,
                )
            )
        ),
        lambda cloud: cloud.sdrs.protected_instances_batch_delete(DELETE),
    ),
    "job": (
        lambda client: client(sdrs.SdrsClient).show_job_status(sdrs.ShowJobStatusRequest(job_id="job-1")),
        lambda cloud: cloud.sdrs.job("job-1"),
    ),
    "groups": (
        lambda client: client(sdrs.SdrsClient).list_protection_groups(
            sdrs.ListProtectionGroupsRequest(limit=1000, offset=0)
        ),
        lambda cloud: cloud.sdrs.groups(),
    ),
    "instances of a group": (
        lambda client: client(sdrs.SdrsClient).list_protected_instances(
            sdrs.ListProtectedInstancesRequest(server_group_id=GROUP, limit=1000, offset=0)
        ),
        lambda cloud: cloud.sdrs.protected_instances(GROUP),
    ),
    "pairs": (
        lambda client: client(sdrs.SdrsClient).list_replications(sdrs.ListReplicationsRequest(limit=1000, offset=0)),
        lambda cloud: cloud.sdrs.replication_pairs(),
    ),
    "servers": (
        lambda client: client(ecs.EcsClient).list_servers_details(ecs.ListServersDetailsRequest(limit=1000, offset=1)),
        lambda cloud: cloud.ecs.servers(),
    ),
    "volumes": (
        lambda client: client(evs.EvsClient).list_volumes(evs.ListVolumesRequest(limit=1000, offset=0)),
        lambda cloud: cloud.evs.volumes(),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
def test_the_request_is_the_vendors(both, intent):
    """Method, path, query and JSON body equal what the official SDK sends for the same intent."""
    sandbox, cloud, client = both
    theirs, ours = INTENTS[intent]
    before = len(received(sandbox))

    with suppress(ClientRequestException):  # the sandbox refuses what does not exist; the request is what counts
        theirs(client)
    loop.wait(quietly(ours(cloud)))

    first, second = received(sandbox)[before:]
    assert second == first
