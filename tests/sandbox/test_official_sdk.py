"""The vendor's unmodified SDK, signing with AK/SK, does every SDRS operation against a listening sandbox."""

import json
import subprocess
import sys
import urllib.request

import huaweicloudsdkecs.v2 as ecs
import huaweicloudsdkevs.v2 as evs
import huaweicloudsdkiam.v3 as iam
import huaweicloudsdkkps.v3 as kps
import huaweicloudsdksdrs.v1 as sdrs
import huaweicloudsdkvpc.v2 as vpc
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException


class Operator:
    """An operator with the vendor's clients, and the control routes beside them."""

    def __init__(self, line):
        self.line = line
        basic = BasicCredentials(line["access_key"], line["secret_key"], line["project_id"])
        self.sdrs = self._client(sdrs.SdrsClient, basic)
        self.ecs = self._client(ecs.EcsClient, basic)
        self.evs = self._client(evs.EvsClient, basic)
        self.vpc = self._client(vpc.VpcClient, basic)
        self.kps = self._client(kps.KpsClient, basic)
        account = GlobalCredentials(line["access_key"], line["secret_key"], "account")
        self.iam = self._client(iam.IamClient, account)

    def _client(self, client, credentials):
        return client.new_builder().with_credentials(credentials).with_endpoint(self.line["endpoint"]).build()

    def control(self, path, body=None):
        """Ask a control route."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.line['endpoint']}/_sandbox/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as answer:
            return json.load(answer)

    def finish(self, response, status="SUCCESS"):
        """Let the job of a response end and give it."""
        self.control("advance", {"seconds": 300})
        job = self.sdrs.show_job_status(sdrs.ShowJobStatusRequest(response.job_id))
        assert job.status == status, job
        return job

    def group(self, name):
        groups = self.sdrs.list_protection_groups(sdrs.ListProtectionGroupsRequest(name=name)).server_groups
        return next(group for group in groups if group.name == name)

    def candidates(self, count, group="pg-erp"):
        """Give plain servers of a group's production site, as the vendor's ECS client lists them."""
        found = self.group(group)
        page = self.ecs.list_servers_details(ecs.ListServersDetailsRequest(limit=1000, status="ACTIVE", flavor=None))
        taken = {instance.source_server for instance in self.instances()}
        plain = [
            server
            for server in page.servers
            if server.os_ext_a_zavailability_zone == found.source_availability_zone
            and server.metadata["vpc_id"] == found.source_vpc_id
            and server.key_name == "KeyPair-ops"
            and server.metadata["os_type"] == "Linux"
            and server.id not in taken
        ]
        return plain[:count]

    def instances(self):
        return self.sdrs.list_protected_instances(sdrs.ListProtectedInstancesRequest(limit=1000)).protected_instances

    def protect(self, count=1):
        """Protect servers by batch and give the instances in the order of the request."""
        servers = self.candidates(count)
        params = sdrs.BatchCreateProtectedInstancesRequestParams(
            name_prefix="sdk",
            server_group_id=self.group("pg-erp").id,
            servers=[sdrs.ServerInfo(server_id=server.id) for server in servers],
        )
        body = sdrs.BatchCreateProtectedInstancesRequestBody(protected_instances=params)
        self.finish(self.sdrs.batch_create_protected_instances(sdrs.BatchCreateProtectedInstancesRequest(body)))
        by_server = {instance.source_server: instance for instance in self.instances()}
        return [by_server[server.id] for server in servers]


@pytest.fixture(name="listening", scope="module")
def _listening():
    command = [
        sys.executable,
        "-m",
        "sdrs_nb.sandbox",
        "--port",
        "0",
        "--servers",
        "240",
        "--seed",
        "7",
        "--speed",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(name="operator")
def _operator(listening):
    operator = Operator(listening)
    operator.control("reset", {})
    return operator


def test_neighbours_answer_the_vendor_clients(operator):
    """ECS, EVS, VPC, KPS and IAM lists decode in the vendor's models."""
    servers = operator.ecs.list_servers_details(ecs.ListServersDetailsRequest(limit=100, offset=3))
    volumes = operator.evs.list_volumes(evs.ListVolumesRequest(limit=5))
    vpcs = operator.vpc.list_vpcs(vpc.ListVpcsRequest())
    subnets = operator.vpc.list_subnets(vpc.ListSubnetsRequest(vpc_id=vpcs.vpcs[0].id))
    pairs = operator.kps.list_keypairs(kps.ListKeypairsRequest())
    projects = operator.iam.keystone_list_projects(iam.KeystoneListProjectsRequest(name="sandbox-1"))

    assert (servers.count, len(servers.servers)) == (240, 40)
    assert (len(volumes.volumes), volumes.volumes[0].attachments is not None) == (5, True)
    assert subnets.subnets[0].neutron_network_id == subnets.subnets[0].id
    assert "KeyPair-ops" in {entry.keypair.name for entry in pairs.keypairs}
    assert [project.id for project in projects.projects] == [operator.line["project_id"]]


def test_flavors_and_limits_decode(operator):
    """Resize flavors, limits and server groups decode in the vendor's models."""
    server = operator.candidates(1)[0]
    flavors = operator.ecs.list_resize_flavors(ecs.ListResizeFlavorsRequest(instance_uuid=server.id))
    limits = operator.ecs.show_server_limits(ecs.ShowServerLimitsRequest())
    groups = operator.ecs.list_server_groups(ecs.ListServerGroupsRequest())
    shown = operator.ecs.show_server(ecs.ShowServerRequest(server.id))

    assert server.flavor.id not in {flavor.id for flavor in flavors.flavors}
    assert limits.absolute.total_instances_used == 240
    assert groups.server_groups
    assert shown.server.name == server.name


def test_batch_create_and_follow(operator):
    """A batch of three becomes three instances with pairs and DR servers, as job and lists say."""
    instances = operator.protect(3)

    world = operator.control("world")
    pairs = operator.sdrs.list_replications(
        sdrs.ListReplicationsRequest(protected_instance_id=instances[0].id)
    ).replications
    assert [instance.name for instance in instances] == ["sdk-0001", "sdk-0002", "sdk-0003"]
    assert all(instance.status == "available" and instance.target_server for instance in instances)
    assert world["creations"] == {instance.source_server: 1 for instance in instances}
    assert {entry.protected_instance for pair in pairs for entry in pair.attachment} == {instances[0].id}
    assert all(pair.record_metadata.volume_size > 0 for pair in pairs)


def test_refusal_decodes_code_and_request_id(operator):
    """The vendor's client reads code, message and request id from a refusal."""
    params = sdrs.BatchCreateProtectedInstancesRequestParams("*", server_group_id="x", servers=[])
    body = sdrs.BatchCreateProtectedInstancesRequestBody(params)

    with pytest.raises(ClientRequestException) as caught:
        operator.sdrs.batch_create_protected_instances(sdrs.BatchCreateProtectedInstancesRequest(body))

    assert (caught.value.status_code, caught.value.error_code) == (400, "SDRS.0202")
    assert caught.value.request_id


def test_groups(operator):
    """Create, show, rename and delete a group."""
    erp = operator.group("pg-erp")
    domain = operator.sdrs.list_active_active_domains(sdrs.ListActiveActiveDomainsRequest()).domains[0]
    params = sdrs.CreateProtectionGroupRequestParams(
        name="sdk",
        source_availability_zone=domain.local_replication_cluster.availability_zone,
        target_availability_zone=domain.remote_replication_cluster.availability_zone,
        domain_id=domain.id,
        source_vpc_id=erp.source_vpc_id,
    )
    body = sdrs.CreateProtectionGroupRequestBody(params)
    job = operator.finish(operator.sdrs.create_protection_group(sdrs.CreateProtectionGroupRequest(body)))
    group_id = job.entities.server_group_id

    rename = sdrs.UpdateProtectionGroupNameRequestBody(sdrs.UpdateProtectionGroupNameRequestParams("sdk-2"))
    operator.sdrs.update_protection_group_name(sdrs.UpdateProtectionGroupNameRequest(group_id, rename))
    shown = operator.sdrs.show_protection_group(sdrs.ShowProtectionGroupRequest(group_id)).server_group
    operator.finish(operator.sdrs.delete_protection_group(sdrs.DeleteProtectionGroupRequest(group_id)))

    assert (shown.name, shown.status, shown.priority_station) == ("sdk-2", "available", "source")
    assert group_id not in {group["id"] for group in operator.control("world")["groups"]}


def test_group_actions(operator):
    """Start, stop, fail over and switch over; the world follows."""
    group_id = operator.group("pg-erp").id
    start = sdrs.StartProtectionGroupRequest(group_id, sdrs.StartProtectionGroupRequestBody({}))
    stop = sdrs.StopProtectionGroupRequest(group_id, sdrs.StopProtectionGroupRequestBody({}))
    fail_over = sdrs.StartFailoverProtectionGroupRequest(group_id, sdrs.FailoverProtectionGroupRequestBody({}))
    station = sdrs.ReverseProtectionGroupRequestParams("target")
    reverse = sdrs.StartReverseProtectionGroupRequest(group_id, sdrs.ReverseProtectionGroupRequestBody(station))

    types = [operator.finish(operator.sdrs.start_protection_group(start)).job_type]
    types.append(operator.finish(operator.sdrs.stop_protection_group(stop)).job_type)
    operator.finish(operator.sdrs.start_protection_group(start))
    with pytest.raises(ClientRequestException) as caught:
        operator.sdrs.start_reverse_protection_group(reverse)
    types.append(operator.finish(operator.sdrs.start_failover_protection_group(fail_over)).job_type)

    assert types == ["startProtectionGroupNoCG", "stopProtectionGroupNoCG", "failoverProtectionGroupNoCG"]
    assert caught.value.error_code == "SDRS.1319"
    group = operator.group("pg-erp")
    assert (group.status, group.priority_station) == ("failed-over", "target")


def test_single_instance(operator):
    """Create, show, rename, delete one instance."""
    server = operator.candidates(1)[0]
    params = sdrs.CreateProtectedInstanceRequestParams(
        server_group_id=operator.group("pg-erp").id, server_id=server.id, name="one", flavor_ref="c7.4xlarge.4"
    )
    body = sdrs.CreateProtectedInstanceRequestBody(params)
    job = operator.finish(operator.sdrs.create_protected_instance(sdrs.CreateProtectedInstanceRequest(body)))
    instance_id = job.entities.protected_instance_id

    rename = sdrs.UpdateProtectedInstanceNameRequestBody(sdrs.UpdateProtectedInstanceNameRequestParams("two"))
    operator.sdrs.update_protected_instance_name(sdrs.UpdateProtectedInstanceNameRequest(instance_id, rename))
    shown = operator.sdrs.show_protected_instance(sdrs.ShowProtectedInstanceRequest(instance_id)).protected_instance
    double = operator.ecs.show_server(ecs.ShowServerRequest(shown.target_server)).server
    remove = sdrs.DeleteProtectedInstanceRequestBody(delete_target_server=True, delete_target_eip=False)
    operator.finish(operator.sdrs.delete_protected_instance(sdrs.DeleteProtectedInstanceRequest(instance_id, remove)))

    assert (shown.name, double.flavor.id, double.status) == ("two", "c7.4xlarge.4", "SHUTOFF")
    assert instance_id not in {instance.id for instance in operator.instances()}


def test_batch_delete(operator):
    """A batch delete takes instances and DR servers away."""
    instances = operator.protect(2)
    body = sdrs.BatchDeleteProtectedInstancesRequestBody(
        protected_instances=[sdrs.ResourceId(instance.id) for instance in instances],
        delete_target_server=True,
        delete_target_eip=False,
    )

    operator.finish(operator.sdrs.batch_delete_protected_instances(sdrs.BatchDeleteProtectedInstancesRequest(body)))

    world = operator.control("world")
    assert {i.id for i in instances}.isdisjoint(i["id"] for i in world["instances"])
    assert {i.target_server for i in instances}.isdisjoint(s["id"] for s in world["servers"])


def test_pairs(operator):
    """Detach, rename, expand, attach and delete a pair; make another from the freed volume."""
    (instance,) = [i for i in operator.protect(5) if len(i.attachment) > 1][:1]
    pair_id = next(entry.replication for entry in instance.attachment if entry.device != "/dev/vda")
    detach = sdrs.DetachProtectedInstanceReplicationRequest(instance.id, pair_id)
    operator.finish(operator.sdrs.detach_protected_instance_replication(detach))

    rename = sdrs.UpdateReplicationNameRequestBody(sdrs.UpdateReplicationNameRequestParams("disk"))
    operator.sdrs.update_replication_name(sdrs.UpdateReplicationNameRequest(pair_id, rename))
    pair = operator.sdrs.show_replication(sdrs.ShowReplicationRequest(pair_id)).replication
    size = pair.record_metadata.volume_size + 5
    grow = sdrs.ExtendReplicationRequestBody(sdrs.ExtendReplicationRequestParams(size))
    operator.finish(operator.sdrs.expand_replication(sdrs.ExpandReplicationRequest(pair_id, grow)))
    hang = sdrs.ProtectedInstanceAttachReplicationRequestParams(replication_id=pair_id, device="/dev/vdx")
    attach = sdrs.ProtectedInstanceAttachReplicationRequestBody(hang)
    operator.finish(
        operator.sdrs.attach_protected_instance_replication(
            sdrs.AttachProtectedInstanceReplicationRequest(instance.id, attach)
        )
    )
    again = operator.sdrs.show_replication(sdrs.ShowReplicationRequest(pair_id)).replication
    operator.finish(operator.sdrs.detach_protected_instance_replication(detach))
    params = sdrs.DeleteReplicationRequestParams(server_group_id=pair.server_group_id, delete_target_volume=True)
    remove = sdrs.DeleteReplicationRequestBody(params)
    operator.finish(operator.sdrs.delete_replication(sdrs.DeleteReplicationRequest(pair_id, remove)))
    create = sdrs.CreateReplicationRequestParams(pair.server_group_id, again.volume_ids.split(",")[0], "fresh")
    made = operator.finish(
        operator.sdrs.create_replication(sdrs.CreateReplicationRequest(sdrs.CreateReplicationRequestBody(create)))
    )

    assert (pair.name, pair.attachment, again.record_metadata.volume_size) == ("disk", [], size)
    assert [entry.device for entry in again.attachment] == ["/dev/vdx"]
    assert made.entities.replication_pair_id not in {None, pair_id}


def test_nic_and_resize(operator):
    """Add and delete a NIC; resizing running servers is refused."""
    (instance,) = operator.protect()
    subnets = operator.vpc.list_subnets(vpc.ListSubnetsRequest(vpc_id=operator.group("pg-erp").source_vpc_id)).subnets
    add = sdrs.ProtectedInstanceAddNicRequestBody(subnet_id=subnets[0].id)
    job = operator.finish(
        operator.sdrs.add_protected_instance_nic(sdrs.AddProtectedInstanceNicRequest(instance.id, add))
    )
    remove = sdrs.ProtectedInstanceDeleteNicRequestBody(job.entities.nic_id)
    operator.finish(
        operator.sdrs.delete_protected_instance_nic(sdrs.DeleteProtectedInstanceNicRequest(instance.id, remove))
    )
    resize = sdrs.ResizeProtectedInstanceRequestBody(sdrs.ResizeProtectedInstanceRequestParams("c7.4xlarge.4"))

    with pytest.raises(ClientRequestException) as caught:
        operator.sdrs.resize_protected_instance(sdrs.ResizeProtectedInstanceRequest(instance.id, resize))

    assert (caught.value.status_code, caught.value.error_code) == (400, "SDRS.1352")


def test_tags(operator):
    """Add, list, search, and delete tags."""
    (instance,) = operator.protect()
    tag = sdrs.ProtectedInstanceAddTagsRequestBody(sdrs.ResourceTag("a", "1"))
    operator.sdrs.add_protected_instance_tags(sdrs.AddProtectedInstanceTagsRequest(instance.id, tag))
    many = sdrs.BatchAddTagsRequestBody([sdrs.ResourceTag("b", "2"), sdrs.ResourceTag("c", "3")], "create")
    operator.sdrs.batch_add_tags(sdrs.BatchAddTagsRequest(instance.id, many))
    some = sdrs.BatchDeleteTagsRequestBody([sdrs.DeleteResourceTag("b")], "delete")
    operator.sdrs.batch_delete_tags(sdrs.BatchDeleteTagsRequest(instance.id, some))
    operator.sdrs.delete_protected_instance_tag(sdrs.DeleteProtectedInstanceTagRequest(instance.id, "c"))

    tags = operator.sdrs.list_protected_instance_tags(sdrs.ListProtectedInstanceTagsRequest(instance.id)).tags
    project = operator.sdrs.list_protected_instances_project_tags(sdrs.ListProtectedInstancesProjectTagsRequest()).tags
    body = sdrs.ListProtectedInstancesByTagsRequestBody(action="filter", tags=[sdrs.TagParams("a", ["1"])])
    found = operator.sdrs.list_protected_instances_by_tags(sdrs.ListProtectedInstancesByTagsRequest(body))

    assert [(entry.key, entry.value) for entry in tags] == [("a", "1")]
    assert [(entry.key, entry.values) for entry in project] == [("a", ["1"])]
    assert [resource.resource_id for resource in found.resources] == [instance.id]


def test_drills(operator):
    """List, create, rename, show, delete a drill."""
    listed = operator.sdrs.list_disaster_recovery_drills(sdrs.ListDisasterRecoveryDrillsRequest())
    params = sdrs.CreateDisasterRecoveryDrillRequestParams(operator.group("pg-erp").id, name="drill")
    body = sdrs.CreateDisasterRecoveryDrillRequestBody(params)
    operator.finish(operator.sdrs.create_disaster_recovery_drill(sdrs.CreateDisasterRecoveryDrillRequest(body)))
    drills = operator.sdrs.list_disaster_recovery_drills(sdrs.ListDisasterRecoveryDrillsRequest(name="drill"))
    drill_id = next(d.id for d in drills.disaster_recovery_drills if d.name == "drill")

    name = sdrs.UpdateDisasterRecoveryDrillNameRequestParams("new")
    rename = sdrs.UpdateDisasterRecoveryDrillNameRequestBody(name)
    operator.sdrs.update_disaster_recovery_drill_name(sdrs.UpdateDisasterRecoveryDrillNameRequest(drill_id, rename))
    shown = operator.sdrs.show_disaster_recovery_drill(sdrs.ShowDisasterRecoveryDrillRequest(drill_id))
    operator.finish(operator.sdrs.delete_disaster_recovery_drill(sdrs.DeleteDisasterRecoveryDrillRequest(drill_id)))

    assert len(listed.disaster_recovery_drills) == 1
    assert shown.disaster_recovery_drill.name == "new"
    assert shown.disaster_recovery_drill.drill_servers


def test_task_center(operator):
    """Failed jobs are listed and deleted, one by one, per group and all."""
    group_id = operator.group("pg-erp").id
    fault = {"match": "POST *", "kind": "fail_subjob", "code": "SDRS.1350", "times": 3}
    operator.control("faults", [fault])
    for server in operator.candidates(2):
        params = sdrs.CreateProtectedInstanceRequestParams(server_group_id=group_id, server_id=server.id, name="one")
        body = sdrs.CreateProtectedInstanceRequestBody(params)
        response = operator.sdrs.create_protected_instance(sdrs.CreateProtectedInstanceRequest(body))
        operator.finish(response, status="FAIL")
    start = sdrs.StartProtectionGroupRequest(group_id, sdrs.StartProtectionGroupRequestBody({}))
    operator.finish(operator.sdrs.start_protection_group(start), status="FAIL")

    request = sdrs.ListFailureJobsRequest(server_group_id=group_id)
    failures = operator.sdrs.list_failure_jobs(request).failure_jobs
    of_groups = operator.sdrs.list_failure_jobs(sdrs.ListFailureJobsRequest()).failure_jobs
    operator.sdrs.delete_failure_job(sdrs.DeleteFailureJobRequest(failures[0].job_id))
    left = operator.sdrs.list_failure_jobs(request).failure_jobs
    operator.sdrs.delete_server_group_failure_jobs(sdrs.DeleteServerGroupFailureJobsRequest(group_id))
    operator.sdrs.delete_all_server_group_failure_jobs(sdrs.DeleteAllServerGroupFailureJobsRequest())

    assert [len(failures), len(of_groups), len(left)] == [2, 1, 1]
    assert {failure.error_code for failure in failures} == {"SDRS.1350"}
    assert operator.sdrs.list_failure_jobs(request).failure_jobs == []
    assert operator.sdrs.list_failure_jobs(sdrs.ListFailureJobsRequest()).failure_jobs == []


def test_quota_versions_and_rpo(operator):
    """Quotas, API versions and RPO statistics decode."""
    quotas = operator.sdrs.show_quota(sdrs.ShowQuotaRequest()).quotas.resources
    versions = operator.sdrs.list_api_versions(sdrs.ListApiVersionsRequest()).versions
    version = operator.sdrs.show_specified_api_version(sdrs.ShowSpecifiedApiVersionRequest("v1")).version
    rpo = operator.sdrs.list_rpo_statistics(sdrs.ListRpoStatisticsRequest(limit=3))

    assert {quota.type for quota in quotas} == {"server_groups", "replications"}
    assert (versions[0].id, version.status) == ("v1", "CURRENT")
    assert (len(rpo.resource_rpo_statistics), rpo.count) == (3, 96)


def test_tampered_key_is_refused(listening):
    """A wrong secret is refused as the gateway does; the right one works afterwards."""
    wrong = Operator({**listening, "secret_key": "wrong"})

    with pytest.raises(ClientRequestException) as caught:
        wrong.sdrs.show_quota(sdrs.ShowQuotaRequest())

    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert Operator(listening).sdrs.show_quota(sdrs.ShowQuotaRequest()).quotas.resources
