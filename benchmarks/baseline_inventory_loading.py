"""Baseline: the official SDK lists servers, volumes, groups, instances and pairs into frames, page after page."""

import json
import resource
import sys
import time

import pandas as pd
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from huaweicloudsdkevs.v2 import EvsClient, ListVolumesRequest
from huaweicloudsdksdrs.v1 import (
    ListProtectedInstancesRequest,
    ListProtectionGroupsRequest,
    ListReplicationsRequest,
    SdrsClient,
)

PAGE = 1000


def client(kind, found):
    """Build one of the SDK's clients for the one endpoint."""
    keys = BasicCredentials(found["access_key"], found["secret_key"], found["project_id"])
    return kind.new_builder().with_credentials(keys).with_endpoint(found["endpoint"]).build()


def rows(fetch, first, step):
    """Read pages until one is short."""
    found, at = [], first
    while True:
        page = fetch(at) or []
        found += [one.to_dict() for one in page]
        if len(page) < PAGE:
            return pd.DataFrame(found)
        at += step


def main():
    """Load and print the figures."""
    found = json.loads(sys.argv[1])
    ecs, evs, sdrs = client(EcsClient, found), client(EvsClient, found), client(SdrsClient, found)
    begun = time.perf_counter()
    frames = [
        rows(lambda at: ecs.list_servers_details(ListServersDetailsRequest(limit=PAGE, offset=at)).servers, 1, 1),
        rows(lambda at: evs.list_volumes(ListVolumesRequest(limit=PAGE, offset=at)).volumes, 0, PAGE),
        rows(lambda at: sdrs.list_protection_groups(ListProtectionGroupsRequest(limit=PAGE, offset=at)).server_groups, 0, PAGE),
        rows(lambda at: sdrs.list_protected_instances(ListProtectedInstancesRequest(limit=PAGE, offset=at)).protected_instances, 0, PAGE),
        rows(lambda at: sdrs.list_replications(ListReplicationsRequest(limit=PAGE, offset=at)).replications, 0, PAGE),
    ]  # fmt: skip
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "rows": [len(frame) for frame in frames]}))


main()
