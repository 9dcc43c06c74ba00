"""Make eight groups in a fresh sandbox, plan so many servers over them evenly, and write the plan to a file."""

import asyncio
import json
import sys
from pathlib import Path

import sdrs_nb

#: Groups beside pg-erp and pg-web, by the one they are like; the sandbox's other groups take too few servers.
LIKE = {"pg-erp": ("bench-e2", "bench-e3", "bench-e4", "bench-e5"), "pg-web": ("bench-w2", "bench-w3")}


async def make_groups(cloud):
    """Create the missing groups and return the ids of all eight by the site they work at."""
    found = {group["name"]: group for group in await cloud.sdrs.groups()}
    for like, names in LIKE.items():
        for name in names:
            old = found[like]
            kept = ("source_availability_zone", "target_availability_zone", "domain_id", "source_vpc_id")
            await cloud.sdrs.create_group({"server_group": {"name": name, **{key: old[key] for key in kept}}})
    while True:
        found = {group["name"]: group for group in await cloud.sdrs.groups()}
        wanted = {like: [found[name] for name in (like, *names)] for like, names in LIKE.items()}
        if all(group["status"] in ("available", "protected") for groups in wanted.values() for group in groups):
            return {like: [group["id"] for group in groups] for like, groups in wanted.items()}
        await asyncio.sleep(0.5)


async def main():
    """Plan and save."""
    found, size, path = json.loads(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    keys = {name: found[name] for name in ("endpoint", "project_id", "access_key", "secret_key")}
    async with sdrs_nb.connect(**keys, sandbox=True) as cloud:
        groups = await make_groups(cloud)
        inventory = await sdrs_nb.load_inventory(cloud)
    every = sdrs_nb.check_eligibility(inventory)
    clustered = set(every.clusters["server_id"])
    usable = set(every.verdicts.loc[every.verdicts["verdict"].isin(["eligible", "warning"]), "server_id"]) - clustered
    candidates = every.candidates
    choice = {}
    for ids in groups.values():
        fitting = candidates.loc[candidates["group_id"].eq(ids[0]) & candidates["server_id"].isin(usable), "server_id"]
        share = size // 8
        chosen = fitting.tolist()[: share * len(ids)]
        assert len(chosen) == share * len(ids), (len(chosen), share * len(ids))
        choice |= {server: ids[position // share] for position, server in enumerate(chosen)}
    judged = sdrs_nb.check_eligibility(inventory, server_ids=list(choice), group_choice=choice)
    sdrs_nb.plan_batches(judged, name_prefix="bench").save(path)


asyncio.run(main())
