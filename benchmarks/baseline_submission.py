"""Baseline: a plain loop over the official SDK; one batch, its job polled every 5 cloud seconds, then the next."""

import json
import resource
import sys
import time
from pathlib import Path

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdksdrs.v1 import (
    BatchCreateProtectedInstancesRequest,
    BatchCreateProtectedInstancesRequestBody,
    BatchCreateProtectedInstancesRequestParams,
    ResourceTag,
    SdrsClient,
    ServerInfo,
    ShowJobStatusRequest,
)

found = json.loads(sys.argv[1])
plan = json.loads(Path(found["plan"]).read_text(encoding="utf-8"))
payloads = [entry["payload"]["protected_instances"] for entry in plan["batches"]]
keys = BasicCredentials(found["access_key"], found["secret_key"], found["project_id"])
client = SdrsClient.new_builder().with_credentials(keys).with_endpoint(found["endpoint"]).build()

begun = time.perf_counter()
for payload in payloads:
    servers = [ServerInfo(server_id=one["server_id"], flavor_ref=one.get("flavorRef")) for one in payload["servers"]]
    tags = [ResourceTag(**tag) for tag in payload.get("tags", [])] or None
    params = BatchCreateProtectedInstancesRequestParams(**{**payload, "servers": servers, "tags": tags})
    body = BatchCreateProtectedInstancesRequestBody(protected_instances=params)
    job_id = client.batch_create_protected_instances(BatchCreateProtectedInstancesRequest(body=body)).job_id
    while client.show_job_status(ShowJobStatusRequest(job_id=job_id)).status not in ("SUCCESS", "FAIL"):
        time.sleep(5 / found["speed"])
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak}))
