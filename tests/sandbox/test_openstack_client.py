"""The OpenStack client with the vendor's extensions logs in by token, lists, creates one instance and reads its job."""

import json
import subprocess
import sys
import urllib.request

import openstack
import pytest
from otcextensions import sdk

# The client warns about its own future (InfluxDB, discovery); that is its makers' affair, not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(name="line", scope="module")
def _line():
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--port", "0", "--servers", "60", "--speed", "0"]
    with subprocess.Popen([*command, "--profile", "otc"], stdout=subprocess.PIPE) as process:
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(name="connection")
def _connection(line):
    auth = {
        "auth_url": f"{line['endpoint']}/v3",
        "username": line["user"],
        "password": line["password"],
        "user_domain_name": line["domain"],
        "project_name": line["region"],
    }
    connection = openstack.connection.Connection(auth=auth, region_name=line["region"], identity_api_version="3")
    sdk.register_otc_extensions(connection)
    yield connection
    connection.close()


def test_openstack_client_lists_what_the_catalogue_names(connection):
    """Projects, servers, VPCs, groups and instances are found through the token's service catalogue."""
    assert "sandbox-1" in {project.name for project in connection.identity.projects()}
    assert len(list(connection.compute.servers())) == 60
    assert "vpc-erp" in {vpc.name for vpc in connection.vpc.vpcs()}
    assert len(list(connection.sdrs.protection_groups())) == 8
    assert [instance.status for instance in connection.sdrs.protected_instances()]


def test_openstack_client_creates_one_instance_and_reads_its_job(connection, line):
    """A single create gives a job that ends in SUCCESS and an instance with a DR server."""
    group = next(group for group in connection.sdrs.protection_groups() if group.name == "pg-erp")
    server = next(
        server
        for server in connection.compute.servers()
        if server.availability_zone == group.source_availability_zone
        and server.metadata["vpc_id"] == group.source_vpc_id
        and server.key_name == "KeyPair-ops"
        and server.status == "ACTIVE"
    )

    made = connection.sdrs.create_protected_instance(server_group_id=group.id, server_id=server.id, name="one")
    json_alone = {"Content-Type": "application/json"}
    advance = urllib.request.Request(f"{line['endpoint']}/_sandbox/advance", b'{"seconds": 300}', json_alone)
    urllib.request.urlopen(advance).close()
    job = connection.sdrs.get_job(made.job_id)

    assert job.status == "SUCCESS"
    found = next(i for i in connection.sdrs.protected_instances() if i.source_server == server.id)
    assert (found.name, found.status) == ("one", "available")
    assert found.target_server
