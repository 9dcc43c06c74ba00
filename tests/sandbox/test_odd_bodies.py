"""Whatever a body holds, the cloud answers as its documents say: it refuses in its own form and goes on."""

import copy
import json

import pytest

V1 = "/v1/{project_id}"
INSTANCE = f"{V1}/protected-instances/{{instance_id}}"
PAIR = f"{V1}/replications/{{replication_id}}"
#: What is no JSON, or JSON that no document could hold.
NO_JSON = {
    "cut off": b'{"a": ',
    "two documents": b"{}{}",
    "100,000 levels": b"[" * 100_000,
    "1,000 closed levels": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "beyond a float": b'{"a": 1e999}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "half a pair as a key": b'{"\\udc00": 1}',
    "invalid UTF-8": b'{"a": "\xff\xfe"}',
    "an overlong zero": b'{"a": "\xc0\x80"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not an object": b"[]",
    "a list of objects": b"[{}]",
    "a string": b'"x"',
    "a number": b"1e308",
    "a huge number": b"9" * 4000,
    "true": b"true",
    "null": b"null",
    "an empty object": b"{}",
}
ODD = [
    None, True, False, 0, 1, -1, 1.5, 1e308, -1e308, 10**30, 10**4000, "", " ", "x" * 5000, "\x00", "\u4e2d", "../..",
    [], {}, [[]], [{}], {"a": {}}, [None], [1], ["x"], ["x", "x"], [True], {"": ""},
]  # fmt: skip


class Estate:
    """A cloud with one of everything, and a valid body for every route that reads one."""

    def __init__(self, cloud, instance):
        world, erp = cloud.world, cloud.group("pg-erp")
        server = world.servers[instance.source_server]
        self.cloud = cloud
        self.ids = {
            "project_id": cloud.project,
            "server_group_id": erp.id,
            "instance_id": instance.id,
            "replication_id": world.pairs_of(instance.id)[0].id,
        }
        subnet = server.nics[0].subnet_id
        orphan = next(vpc.id for vpc in world.vpcs.values() if vpc.name == "vpc-orphan")
        tags = [{"key": "a", "value": "b"}]
        place = {"primary_subnet_id": subnet, "tenancy": "dedicated", "dedicated_host_id": "h", "cluster_id": "c"}
        order = {"server_group_id": erp.id, "description": "d", "tags": tags, **place}
        user = {"name": "operator", "id": "u", "password": "p", "domain": {"name": "d", "id": "i"}}
        identity = {"methods": ["password"], "password": {"user": user}, "token": {"id": "x"}}
        scope = {"project": {"id": cloud.project, "name": "p"}}
        group = {"name": "pg-new", "source_availability_zone": erp.source_az, "source_vpc_id": erp.vpc_id,
                 "target_availability_zone": erp.target_az, "domain_id": erp.domain_id, "description": "d",
                 "dr_type": "migration"}  # fmt: skip
        search = {"action": "filter", "limit": "10", "offset": "0", "matches": [{"key": "resource_name", "value": "x"}]}
        filters = {name: [{"key": "a", "values": ["b"]}] for name in ("tags", "tags_any", "not_tags", "not_tags_any")}
        size = world.pairs[self.ids["replication_id"]].size_gib + 10
        resize = {"flavorRef": "c7.4xlarge.4", "production_flavorRef": "f", "dr_flavorRef": "f",
                  "production_dedicated_host_id": "h", "dr_dedicated_host_id": "h"}  # fmt: skip
        spare = cloud.plain(3)
        self.bodies = {
            ("POST", "/v3/auth/tokens"): {"auth": {"identity": identity, "scope": scope}},
            ("POST", f"{V1}/server-groups"): {"server_group": group},
            ("PUT", f"{V1}/server-groups/{{server_group_id}}"): {"server_group": {"name": "new"}},
            ("POST", f"{V1}/server-groups/{{server_group_id}}/action"): {
                "reverse-server-group": {"priority_station": "target"}
            },
            ("POST", f"{V1}/protected-instances"): {
                "protected_instance": {**order, "name": "one", "server_id": spare[0], "primary_ip_address": "10.3.0.9"}
            },
            ("POST", f"{V1}/protected-instances/batch"): {
                "protected_instances": {**order, "name_prefix": "web",
                                        "servers": [{"server_id": spare[1], "flavorRef": server.flavor_id}]}
            },
            ("POST", f"{V1}/protected-instances/delete"): {
                "protected_instances": [{"id": "x"}], "delete_target_server": False, "delete_target_eip": False
            },
            ("PUT", INSTANCE): {"protected_instance": {"name": "new"}},
            ("DELETE", INSTANCE): {"delete_target_server": False, "delete_target_eip": False},
            ("POST", f"{INSTANCE}/attachreplication"): {
                "replicationAttachment": {"replication_id": self.ids["replication_id"], "device": "/dev/sdc"}
            },
            ("POST", f"{INSTANCE}/nic"): {
                "subnet_id": subnet, "security_groups": [{"id": "s"}], "ip_address": "10.3.0.7"
            },
            ("POST", f"{INSTANCE}/nic/delete"): {"nic_id": server.nics[0].port_id},
            ("POST", f"{INSTANCE}/resize"): {"resize": resize},
            ("POST", f"{INSTANCE}/tags"): {"tag": tags[0]},
            ("POST", f"{INSTANCE}/tags/action"): {"action": "delete", "tags": tags},
            ("POST", f"{V1}/protected-instances/resource_instances/action"): {**search, **filters},
            ("POST", f"{V1}/replications"): {
                "replication": {"server_group_id": erp.id, "volume_id": "v", "name": "pair", "description": "d",
                                "cluster_id": "c"}
            },
            ("PUT", PAIR): {"replication": {"name": "new"}},
            ("DELETE", PAIR): {"replication": {"server_group_id": erp.id, "delete_target_volume": True}},
            ("POST", f"{PAIR}/action"): {"extend-replication": {"new_size": size}},
            ("POST", f"{V1}/disaster-recovery-drills"): {
                "disaster_recovery_drill": {"server_group_id": erp.id, "name": "drill", "drill_vpc_id": orphan}
            },
            ("PUT", f"{V1}/disaster-recovery-drills/{{drill_id}}"): {"disaster_recovery_drill": {"name": "new"}},
        }  # fmt: skip

    async def send(self, method, template, body):
        """Send bytes to a route."""
        path = template.format(**{"drill_id": "d", **self.ids})
        return await self.cloud.http.request(method, path, content=body)


@pytest.fixture(name="estate")
async def _estate(make_cloud):
    cloud = make_cloud(60)
    (instance,) = await cloud.protect(cloud.plain())
    return Estate(cloud, instance)


def mutations(document):
    """Give the document with each value replaced by each odd one, and without each key."""

    def places(part, at=()):
        yield at
        entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, value in entries:
            yield from places(value, (*at, key))

    for *parents, last in filter(None, places(document)):
        for odd in (..., *ODD):
            changed = copy.deepcopy(document)
            inner = changed
            for step in parents:
                inner = inner[step]
            inner[last] = odd
            if odd is ...:
                del inner[last]
            yield changed
    yield from ODD


def in_its_own_form(answer):
    """Tell whether a refusal has the code and message of one of the documented shapes."""
    body = answer.json()
    inner = next(iter(body.values())) if len(body) == 1 else body
    return {"code", "message"} <= set(inner) or {"error_code", "error_msg"} <= set(inner)


async def test_there_is_a_body_for_every_route_that_reads_one(estate):
    """A new route comes into these tables; deletions without a body are the only others that change something."""
    shapes = estate.cloud.service.router._by_shape.values()
    changing = {(route.method, route.template) for shape in shapes for _, route in shape if route.method != "GET"}

    missing = changing - set(estate.bodies)

    assert set(estate.bodies) <= changing
    assert {method for method, _ in missing} == {"DELETE"}


@pytest.mark.parametrize("what", NO_JSON)
async def test_what_is_no_document_is_400_in_the_services_form(estate, what):
    """On every route that reads a body; nothing is made, and log and world can still be read."""
    world = await estate.cloud.get("/_sandbox/world")
    optional = {("DELETE", INSTANCE)} if what == "an empty object" else set()

    answers = {
        route: await estate.send(*route, NO_JSON[what])
        for route in estate.bodies
        # Without its drill a rename has nothing to read a body for.
        if route not in optional and "{drill_id}" not in route[1]
    }

    told = {route: (answer.status_code, in_its_own_form(answer)) for route, answer in answers.items()}
    assert told == dict.fromkeys(answers, (400, True))
    assert (await estate.cloud.call("GET", "/_sandbox/requests")).status_code == 200
    assert await estate.cloud.get("/_sandbox/world") == world


async def test_every_odd_value_anywhere_is_an_answer(estate):
    """Each value of each body replaced by each odd one: never a 500, and every list can still be read."""
    lists = ("server-groups", "protected-instances", "replications", "disaster-recovery-drills")
    sent = 0
    for route, body in estate.bodies.items():
        for odd in mutations(body):
            answer = await estate.send(*route, json.dumps(odd).encode())
            sent += 1

            assert answer.status_code < 500, (route, odd)
            assert answer.is_success or in_its_own_form(answer), (route, odd, answer.text)
    estate.cloud.sandbox.advance(3600)

    assert sent > 3000
    assert [(await estate.cloud.call("GET", f"/v1/{{p}}/{name}")).status_code for name in lists] == [200] * 4
    assert (await estate.cloud.call("GET", "/_sandbox/world")).status_code == 200
    assert len(await estate.cloud.get("/_sandbox/requests")) > sent
