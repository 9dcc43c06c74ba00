"""Write the frames of a made-up estate to a folder as pickles: the same for the same size, about a third blocked."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from sdrs_nb.tables import INVENTORY_TABLES


def frames(size):
    """Return servers, volumes, attachments, groups, instances, pairs, key pairs and quotas of an estate."""
    random = np.random.default_rng(7)
    groups = max(size // 5000, 4)
    ids = pd.Series([f"{n:08x}-0000-4000-8000-000000000000" for n in range(size)], dtype="string")
    home = random.integers(0, groups, size)
    servers = pd.DataFrame(
        {
            "server_id": ids,
            "name": pd.Series([f"server-{n}" for n in range(size)], dtype="string"),
            "status": pd.Series(
                random.choice(["ACTIVE", "SHUTOFF", "ERROR", "BUILD"], size, p=[0.8, 0.15, 0.03, 0.02])
            ),
            "az": pd.Series(np.where(random.random(size) < 0.9, "az-1", "az-2")),
            "vpc_id": pd.Series([f"vpc-{n // 2}" for n in home]),
            "os_type": pd.Series(random.choice(["Linux", "Windows"], size, p=[0.7, 0.3])),
            "key_name": pd.Series([f"key-{n % 50}" for n in range(size)]),
            "nic_count": random.integers(1, 4, size),
            "flavor_id": pd.Series(random.choice(["s3.large.2", "c3.xlarge.4", "m3.large.8"], size)),
            "vcpus": random.integers(1, 9, size),
            "ram_gib": random.integers(1, 65, size).astype(float),
            "billing": pd.Series(random.choice(["on demand", "yearly/monthly"], size, p=[0.9, 0.1])),
            "locked": random.random(size) < 0.01,
            "frozen": False,
            "enterprise_project_id": pd.Series(random.choice(["0", "ep-1"], size, p=[0.8, 0.2])),
            "tags": "",
        }
    )
    per = random.choice([1, 2, 3, 4], size, p=[0.25, 0.4, 0.25, 0.1])
    owner = np.repeat(np.arange(size), per)
    first = np.r_[True, owner[1:] != owner[:-1]]
    volume = np.arange(len(owner))
    shared = (random.random(len(owner)) < 0.01) & ~first
    shared[0] = False
    volume[shared] = volume[np.flatnonzero(shared) - 1]
    names = np.array([f"vol-{n:09d}" for n in range(len(owner))], dtype=object)
    attachments = pd.DataFrame(
        {
            "server_id": ids.to_numpy()[owner],
            "volume_id": names[volume],
            "device": "/dev/vda",
            "bootable": first,
            "seen_by": "both",
        }
    ).drop_duplicates(["server_id", "volume_id"])
    kept, at = np.unique(volume, return_index=True)
    volumes = pd.DataFrame(
        {
            "volume_id": names[kept],
            "name": names[kept],
            "size_gib": random.integers(10, 2000, len(kept)),
            "status": "in-use",
            "az": servers["az"].to_numpy()[owner[at]],
            "multiattach": np.isin(kept, volume[shared]),
            "encrypted": random.random(len(kept)) < 0.02,
            "bootable": first[at],
            "volume_type": random.choice(["SAS", "SSD", "GPSSD"], len(kept)),
            "service_type": "EVS",
            "billing": "on demand",
            "frozen": False,
        }
    )
    group_frame = pd.DataFrame(
        {
            "group_id": [f"group-{n}" for n in range(groups)],
            "name": [f"group {n}" for n in range(groups)],
            "status": ["available", "protected"] * (groups // 2) + ["available"] * (groups % 2),
            "source_az": "az-1",
            "target_az": "az-2",
            "priority_station": "source",
            "production_az": "az-1",
            "dr_az": "az-2",
            "vpc_id": [f"vpc-{n}" for n in range(groups)],
            "server_type": "ECS",
        }
    )
    protected = random.choice(size, size // 20, replace=False)
    instances = pd.DataFrame(
        {
            "protected_instance_id": [f"instance-{n}" for n in range(len(protected))],
            "name": [f"instance-{n}" for n in range(len(protected))],
            "group_id": group_frame["group_id"].to_numpy()[home[protected] // 2],
            "status": "protected",
            "source_server_id": ids.to_numpy()[protected],
            "target_server_id": [f"dr-{n}" for n in range(len(protected))],
        }
    )
    found = {
        "servers": servers,
        "volumes": volumes,
        "attachments": attachments,
        "groups": group_frame,
        "protected_instances": instances,
        "replication_pairs": pd.DataFrame({"replication_pair_id": ["pair-1"], "volume_ids": ["none-1,none-2"]}),
        "key_pairs": pd.DataFrame({"name": [f"key-{n}" for n in range(45)]}),
        "quotas": pd.DataFrame({"resource_type": ["server_groups", "replications"], "used": [4, 1], "quota": [50, -1]}),
        "scaling_instances": pd.DataFrame({"server_id": ids[:100], "scaling_configuration_id": "c1"}),
        "drill_servers": pd.DataFrame({"server_id": ["none"]}),
        "vpcs": pd.DataFrame({"vpc_id": [f"vpc-{n}" for n in range(groups)]}),
        "subnets": pd.DataFrame({"subnet_id": ["sub-1"], "vpc_id": ["vpc-0"]}),
        "enterprise_projects": pd.DataFrame({"enterprise_project_id": ["0", "ep-1"]}),
        "domains": pd.DataFrame(
            {"domain_id": ["d1"], "sold_out": [False], "local_az": ["az-1"], "remote_az": ["az-2"]}
        ),
        "flavors": pd.DataFrame(
            {
                "flavor_id": ["s3.large.2", "c3.xlarge.4", "m3.large.8"],
                "sale_status": "normal",
                "sale_by_az": "az-1=normal",
            }
        ),
    }
    whole = {name: frame.reindex(columns=[*INVENTORY_TABLES[name].columns]) for name, frame in found.items()}
    # As read from a cloud: what is blank is none, and nothing was left unread.
    whole["sources"] = pd.DataFrame({"frame": [*found], "state": "loaded", "rows": 0, "unread": None})
    return whole


if __name__ == "__main__":
    for name, frame in frames(int(sys.argv[1])).items():
        frame.to_pickle(Path(sys.argv[2]) / f"{name}.pkl")
