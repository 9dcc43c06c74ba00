"""Answers that drip, swell or are of another shape than any of the service's: refused in bounds of time and size."""

import asyncio
import gzip
import json
import time
import zlib
from contextlib import asynccontextmanager

import httpx
import pytest

import sdrs_nb
from sdrs_nb import errors
from sdrs_nb.cloud import shapes
from tests.builders_cloud import PlayedCloud
from tests.odd_answers import places

#: What a server says before its body.
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1024 * 1024


@asynccontextmanager
async def answering(head, parts, pause_s=0.0):
    """A server that sends ``head`` to everybody and then ``parts``, one after the other, for ever if they never end."""
    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + b"\r\n")
            for part in parts() if callable(parts) else parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if callable(parts) else writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def endless(part):
    """The same part for ever."""

    def parts():
        while True:
            yield part

    return parts


async def groups_of(endpoint, **settings):
    """List the groups at an endpoint; one try."""
    keys = {"project_id": "p", "token": "t", "attempts": 1}
    async with sdrs_nb.connect(endpoint=endpoint, **keys, **settings) as cloud:
        return await cloud.sdrs.groups()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "part"),
    [
        (HEAD + b"Content-Length: 100000\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n", b"1\r\n \r\n"),
        (HEAD, b" "),
        (b"HTTP/1.1 500 Oops\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    ],
)
async def test_an_answer_that_drips_is_waited_for_no_longer_than_a_call_may_take(head, part):
    """However steadily its bytes come."""
    async with answering(head, endless(part), pause_s=0.02) as endpoint:
        begun = time.monotonic()
        with pytest.raises(errors.CloudUnreachable, match=r"no answer to GET .* in time") as caught:
            await groups_of(endpoint, timeout=0.3)

    assert caught.value.sent
    assert time.monotonic() - begun < 10


async def test_a_body_without_end_is_read_to_its_bound_alone():
    """The bound is in bytes received, whatever was announced."""
    async with answering(HEAD, endless(b" " * 65536)) as endpoint:
        with pytest.raises(errors.CloudError, match="larger than 32 MiB"):
            await groups_of(endpoint)


def packed(times, wbits=31):
    """A long run of blanks, packed."""
    packing = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(times)), packing.flush()])


@pytest.mark.parametrize(
    ("encoding", "body", "told"),
    [
        ("gzip", packed(64), "larger than 32 MiB"),
        ("deflate", packed(64, 15), "larger than 32 MiB"),
        ("gzip, gzip", gzip.compress(packed(64)), "packed as gzip, gzip"),
        ("br", b"\x0b\x02\x80 \x03", "packed as br"),
        ("zstd", b"(\xb5/\xfd", "packed as zstd"),
        ("gzip", b"no gzip at all", "damaged"),
        ("gzip", gzip.compress(b'{"server_groups": []}')[:-9], "damaged"),
    ],
    ids=["gzip bomb", "deflate bomb", "packed twice", "br", "zstd", "no gzip", "cut off"],
)
async def test_a_packed_body_is_unpacked_within_its_bound(encoding, body, told):
    """What a few bytes would become is counted before it is kept."""
    async with answering(HEAD + f"Content-Encoding: {encoding}\r\n".encode(), [body]) as endpoint:
        with pytest.raises(errors.CloudError, match=told):
            await groups_of(endpoint)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda body: body])
async def test_a_packed_body_is_read(pack):
    """By gzip or deflate, and what follows a packed body is nobody's."""
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate"}.get(pack, "identity")
    body = pack(json.dumps({"server_groups": [{"id": "g"}], "count": 1}).encode())
    async with answering(HEAD + f"Content-Encoding: {encoding}\r\n".encode(), [body]) as endpoint:
        assert [group["id"] for group in await groups_of(endpoint)] == ["g"]


@pytest.mark.slow
async def test_a_refusal_with_an_endless_page_is_told_by_what_was_read():
    """Its status counts, not the size of the page that a proxy made of it."""
    async with answering(b"HTTP/1.1 403 No\r\n", endless(b"<p>blocked</p>" * 4096)) as endpoint:
        with pytest.raises(errors.PermissionDeniedError, match="answered 403, <p>blocked"):
            await groups_of(endpoint)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"server_groups":' * 5000,
        b'{"server_groups": [' + b"[]," * 3_000_000 + b"[]]}",
        b'{"server_groups": [{"id": "g", "protected_instance_num": NaN}]}',
        b'{"server_groups": [{"id": "g", "name": "\\ud800"}]}',
        b'{"server_groups": [{"id": "g"}]} and more',
        b"\xff\xfe{}",
    ],
    ids=["lists", "objects", "values", "NaN", "half a character", "more", "UTF-16"],
)
async def test_what_is_no_json_of_any_size_is_refused(body):
    """Depth, number of values, and the words that are no JSON though many write them."""
    played = PlayedCloud({"GET /v1/P/server-groups": httpx.Response(200, content=body)})

    with pytest.raises(errors.CloudError, match="something that is not JSON") as caught:
        await played.connect(attempts=1).sdrs.groups()

    assert len(str(caught.value)) < 1200


ODD = ["x", 1, True, [], ["x"], {}, {"a": 1}, [[]], [None], 10**30, 1e308 * 10]
#: A call, the answer in which a value is replaced, and the path to it.
ANSWERS = [
    ("ecs", "servers", "GET /v1/P/cloudservers/detail", {"servers": [{"id": "s", "metadata": {"vpc_id": "v"},
        "addresses": {"v": [{"addr": "1"}]}, "tags": ["a"], "os:scheduler_hints": {"group": ["g"]},
        "os-extended-volumes:volumes_attached": [{"id": "d"}], "flavor": {"id": "f"}, "status": "ok"}], "count": 1}),
    ("evs", "volumes", "GET /v2/P/cloudvolumes/detail", {"volumes": [{"id": "d", "metadata": {"orderID": "o"},
        "attachments": [{"server_id": "s", "device": "/dev/vda"}], "size": 1}], "count": 1}),
    ("sdrs", "groups", "GET /v1/P/server-groups", {"server_groups": [{"id": "g", "status": "available"}], "count": 1}),
    ("sdrs", "protected_instances", "GET /v1/P/protected-instances", {"protected_instances": [{"id": "i",
        "source_server": "s", "target_server": "t", "status": "available", "progress": 0}], "count": 1}),
    ("sdrs", "replication_pairs", "GET /v1/P/replications", {"replications": [{"id": "r", "volume_ids": "a,b",
        "attachment": [{"protected_instance": "i"}], "record_metadata": {"multiattach": True}}], "count": 1}),
    ("sdrs", "drills", "GET /v1/P/disaster-recovery-drills", {"disaster_recovery_drills": [{"id": "d",
        "drill_servers": [{"drill_server_id": "s"}]}], "count": 1}),
    ("sdrs", "domains", "GET /v1/P/active-domains", {"domains": [{"id": "d",
        "local_replication_cluster": {"availability_zone": "a"}}]}),
    ("sdrs", "quotas", "GET /v1/P/sdrs/quotas", {"quotas": {"resources": [{"type": "t", "used": 1, "quota": 2}]}}),
    ("vpc", "subnets", "GET /v1/P/subnets", {"subnets": [{"id": "n", "vpc_id": "v"}]}),
    ("kps", "key_pairs", "GET /v3/P/keypairs", {"keypairs": [{"keypair": {"name": "k"}}]}),
    ("deh", "hosts", "GET /v1.0/P/dedicated-hosts", {"dedicated_hosts": [{"dedicated_host_id": "h",
        "host_properties": {"available_instance_capacities": [{"flavor": "f"}]}}], "total": 1}),
    ("evs", "quota", "GET /v2/P/os-quota-sets/P", {"quota_set": {"id": "P", "volumes": {"in_use": 1, "limit": 2}}}),
    ("ecs", "limits", "GET /v1/P/cloudservers/limits", {"absolute": {"maxTotalCores": 4}}),
]  # fmt: skip


def replaced(document, path, value):
    """A copy of the document with another value at ``path``."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


CASES = [(*answer, path) for answer in ANSWERS for path in places(answer[3])]


@pytest.mark.parametrize(
    ("service", "call", "route", "document", "path"),
    CASES,
    ids=[f"{case[1]}:{'.'.join(map(str, case[4])) or 'all'}" for case in CASES],
)
async def test_no_odd_value_anywhere_passes_the_rim_as_something_else(service, call, route, document, path):
    """Each value of an answer replaced by each odd one: it is read, or refused in a sentence that names the request."""
    body = b""
    cloud = PlayedCloud({route: lambda _: httpx.Response(200, content=body)}).connect(attempts=1)
    for odd in ODD:
        body = json.dumps(replaced(document, path, odd)).replace("Infinity", "1e999").encode()
        found, told = {}, ""
        try:
            found = await getattr(getattr(cloud, service), call)()
        except errors.CloudError as error:
            told = str(error)
        assert isinstance(found, list | dict)
        assert not told or route.partition("P/")[2].split("/")[0] in told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "i", "source_server": []}, r"a text or a number at protected_instances\[1\]\.source_server"),
        ({"id": "i", "source_server": {"id": "s"}}, r"protected_instances\[1\]\.source_server"),
        ({"id": None, "source_server": "s"}, r"an id at protected_instances\[1\]\.id"),
        ({"source_server": "s"}, r"an id at protected_instances\[1\]\.id"),
        ({"id": "", "source_server": "s"}, r"an id at protected_instances\[1\]\.id"),
        ({"id": "i", "progress": 10**400}, r"protected_instances\[1\]\.progress"),
    ],
)
async def test_the_field_that_does_not_fit_is_named(row, told):
    """A row that says nobody's server is protected would leave one to be planned twice."""
    document = {"protected_instances": [{"id": "fine", "source_server": "s0"}, row], "count": 2}
    body = json.dumps(document).encode() if row.get("progress", 0) < 10**20 else None
    body = body or b'{"protected_instances": [{"id": "fine"}, {"id": "i", "progress": 1' + b"0" * 400 + b"}]}"
    played = PlayedCloud({"GET /v1/P/protected-instances": httpx.Response(200, content=body)})

    with pytest.raises(errors.CloudError, match=told):
        await played.connect(attempts=1).sdrs.protected_instances()


@pytest.mark.parametrize("group_id", ["g" * 70_000, "\x00" * 30_000])
async def test_an_id_that_fits_no_address_is_refused(group_id):
    """Whether a plan or an answer brought it in."""
    played = PlayedCloud({"GET /v1/P/server-groups": {"server_groups": [{"id": group_id}], "count": 1}})
    cloud = played.connect(attempts=1)

    with pytest.raises(errors.CloudError, match="makes no address"):
        await cloud.sdrs.group(group_id)
    with pytest.raises(errors.CloudError, match=r"an id at server_groups\[0\]\.id"):
        await cloud.sdrs.groups()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"status": "RUNNING", "entities": {"sub_jobs": "x"}}, r"a list at job\.entities\.sub_jobs"),
        ({"status": "RUNNING", "entities": ["x"]}, r"an object at job\.entities"),
        ({"entities": {"sub_jobs": [{"entities": {"sub_jobs": [7]}}]}}, r"sub_jobs\[0\]\.entities\.sub_jobs\[0\]"),
        ({"status": {}}, r"a text or a number at job\.status"),
        ([], "an object at job"),
        (None, "an object at job"),
        ("x", "an object at job"),
    ],
)
async def test_a_job_of_another_shape_is_a_failed_look(document, told):
    """At any depth."""
    played = PlayedCloud({"GET /v1/P/jobs/j": httpx.Response(200, content=json.dumps(document))})

    with pytest.raises(errors.CloudError, match=told):
        await played.connect(attempts=1).sdrs.job("j")


@pytest.mark.parametrize(
    "document",
    [{}, {"job_id": "j", "status": "NEW", "entities": None}, {"entities": {}}, {"entities": {"sub_jobs": None}},
     {"entities": {"sub_jobs": [{"status": "SUCCESS", "entities": {"protected_instance_id": "i"}}]}, "more": [1]}],
)  # fmt: skip
def test_what_a_job_may_leave_out_is_no_fault(document):
    """Null and absence say nothing wrong, and what nobody reads does not matter."""
    assert shapes.fitting("/jobs/j", document, shapes.JOB, "job") is document


@pytest.mark.parametrize("document", [None, [], "x", 7, {"projects": "x"}, {"projects": [7]}, {"projects": [{}]}])
async def test_projects_of_another_shape_are_refused(document):
    """The first call of every connection."""
    played = PlayedCloud({"GET /v3/projects": httpx.Response(200, json=document)})

    with pytest.raises(errors.CloudError, match="GET /v3/projects answered without"):
        await played.connect(attempts=1).sdrs.groups()
