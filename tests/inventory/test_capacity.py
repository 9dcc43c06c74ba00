"""Flavors, hosts, pools and limits of the DR side as frames."""

from sdrs_nb import load_inventory
from tests.builders_inventory import HandedOut


async def test_flavors_tell_what_rules_ask_of_them():
    """Extra specs become claims: local disks, accelerators, architecture, sale status by AZ."""
    plain = {"id": "s6.large.2", "name": "s6.large.2", "vcpus": "2", "ram": 4096, "os_extra_specs": {}}
    special = {
        "id": "d3.xlarge.8",
        "vcpus": "4",
        "ram": 32768,
        "os_extra_specs": {
            "ecs:performancetype": "diskintensive",
            "quota:local_disk": "HDD:3:1675:sata3",
            "info:gpus": "[{}]",
            "cond:operation:az": "az-1(normal), az-2(sellout)",
        },
    }

    flavors = (await load_inventory(HandedOut(flavors=[plain, special]))).flavors.set_index("flavor_id")

    assert flavors.loc["s6.large.2", ["vcpus", "ram_gib", "local_disks", "accelerators"]].tolist() == [
        2,
        4.0,
        False,
        False,
    ]
    assert flavors.loc["d3.xlarge.8", ["local_disks", "accelerators"]].tolist() == [True, True]
    assert flavors.loc["d3.xlarge.8", "sale_by_az"] == "az-1=normal,az-2=sellout"


async def test_resize_flavors_are_read_for_the_servers_that_ask():
    """Each server asked for gets its own rows; without any the frame is not asked."""
    cloud = HandedOut(resize_flavors=[{"id": "c6.large.2"}, {"id": "c6.xlarge.2"}])

    inventory = await load_inventory(cloud, resize_for=["s1", "s2"])

    assert inventory.resize_flavors.to_numpy().tolist() == [
        ["s1", "c6.large.2"],
        ["s1", "c6.xlarge.2"],
        ["s2", "c6.large.2"],
        ["s2", "c6.xlarge.2"],
    ]


async def test_hosts_and_pools_tell_their_room():
    """Free vCPUs, memory, flavors and GiB of hosts and pools are there for the placement rules."""
    host = {
        "dedicated_host_id": "h1",
        "state": "available",
        "availability_zone": "az-2",
        "auto_placement": "on",
        "available_vcpus": 8,
        "available_memory": 16384,
        "host_properties": {"available_instance_capacities": [{"flavor": "s6.large.2"}, {"flavor": "s6.xlarge.2"}]},
    }
    pool = {"id": "p1", "type": "SSD", "status": "deploying", "availability_zone": "az-2"}

    inventory = await load_inventory(HandedOut(dedicated_hosts=[host], storage_pools=[pool]))

    assert inventory.dedicated_hosts.loc[0, ["auto_placement", "available_ram_gib", "flavor_ids"]].tolist() == [
        True,
        16.0,
        "s6.large.2,s6.xlarge.2",
    ]
    assert inventory.storage_pools.loc[0, "status"] == "deploying"
    assert inventory.storage_pools["total_gib"].isna().all()


async def test_limits_and_quota_are_rows_of_use_and_limit():
    """ECS limits and EVS quota read alike; -1 stays, a quota that was not told is no row."""
    limits = {"maxTotalInstances": 100, "totalInstancesUsed": 40, "maxTotalCores": -1, "totalCoresUsed": 3}
    quota = {"volumes": {"limit": 50, "in_use": 5}, "gigabytes": {"limit": -1, "in_use": 7}, "id": "project-1"}

    inventory = await load_inventory(HandedOut(ecs_limits=[limits], evs_quota=[quota]))

    assert inventory.ecs_limits.to_numpy().tolist() == [["instances", 40, 100], ["cores", 3, -1]]
    assert inventory.evs_quota.to_numpy().tolist() == [["volumes", 5, 50], ["gigabytes", 7, -1]]
