import asyncio
import socket
import ssl

import httpx
import pytest
import stamina

from sdrs_nb import __version__, errors
from sdrs_nb.cloud import connect
from tests.builders_cloud import ACCESS, LOGIN, PROJECT, PlayedCloud, an_error

GROUPS = "GET /v1/P/server-groups"
CREATE = "POST /v1/P/protected-instances/batch"
NO_GROUPS = {"server_groups": [], "count": 0}
BODY = '{"protected_instances": {"name_prefix": "数据库"}}'.encode()
THROTTLED = httpx.Response(
    429,
    json={
        "error_msg": "The throttling threshold has been reached: policy user over ratelimit,limit:20,time:1 second",
        "error_code": "APIGW.0308",
    },
)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(THROTTLED, id="429"),
        pytest.param(httpx.Response(408), id="408"),
        pytest.param(httpx.Response(500), id="500"),
        pytest.param(httpx.Response(502, text="<html>"), id="502"),
        pytest.param(httpx.Response(504), id="504"),
        pytest.param(httpx.ConnectError("refused"), id="not connected"),
        pytest.param(httpx.ReadError("reset"), id="reset"),
        pytest.param(httpx.ReadTimeout("late"), id="no answer in time"),
        pytest.param(httpx.RemoteProtocolError("dropped"), id="dropped"),
        pytest.param(httpx.Response(200, text="<html>"), id="garbage"),
    ],
)
async def test_a_read_is_repeated_after_passing_trouble(trouble):
    """A GET does no harm, so it is tried again after throttling, failure, silence and garbage."""
    played = PlayedCloud({GROUPS: [trouble, trouble, NO_GROUPS]})

    assert await played.connect().sdrs.groups() == []

    assert len(played.asked) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 302])
async def test_a_read_is_not_repeated_after_a_definite_answer(status):
    """What the cloud refuses once it refuses again."""
    played = PlayedCloud({GROUPS: httpx.Response(status, json={})})

    with pytest.raises(errors.CloudError):
        await played.connect().sdrs.groups()

    assert len(played.asked) == 1


async def test_a_read_that_stays_in_trouble_ends_with_its_last_error():
    """After the last try the error of the answer is raised as it is."""
    played = PlayedCloud({GROUPS: an_error(503, "SDRS.0013", "Internal error")})

    with pytest.raises(errors.ServiceError, match=r"SDRS\.0013: Internal error"):
        await played.connect().sdrs.groups()

    assert len(played.asked) == 3


async def test_the_number_of_tries_is_a_setting():
    """One try means one."""
    played = PlayedCloud({GROUPS: httpx.Response(503)})

    with stamina.set_testing(False), pytest.raises(errors.ServiceError):
        await played.connect(attempts=1, project_id=PROJECT).sdrs.groups()

    assert len(played.asked) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(THROTTLED, id="429"),
        pytest.param(httpx.ConnectError("refused"), id="not connected"),
        pytest.param(httpx.ConnectTimeout("slow"), id="not connected in time"),
        pytest.param(httpx.PoolTimeout("busy"), id="no free connection"),
    ],
)
async def test_a_create_is_repeated_only_where_it_was_not_handled(trouble):
    """Turned away at the gate, or never sent: the same bytes go out again."""
    played = PlayedCloud({CREATE: [trouble, {"job_id": "j1"}]})

    assert await played.connect().sdrs.batch_create(BODY) == "j1"

    assert [request.content for request in played.requests[-2:]] == [BODY, BODY]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        pytest.param(httpx.Response(408), errors.SubmissionUncertain, id="408"),
        pytest.param(an_error(500, "SDRS.0013"), errors.SubmissionUncertain, id="500"),
        pytest.param(httpx.Response(502, text="<html>"), errors.SubmissionUncertain, id="502"),
        pytest.param(httpx.Response(504), errors.SubmissionUncertain, id="504"),
        pytest.param(httpx.Response(202, text="<html>"), errors.SubmissionUncertain, id="garbage"),
        pytest.param(httpx.Response(202, json={}), errors.SubmissionUncertain, id="no job id"),
        pytest.param(httpx.Response(202, json={"job_id": None}), errors.SubmissionUncertain, id="job id null"),
        pytest.param(httpx.Response(202, json={"job_id": ""}), errors.SubmissionUncertain, id="job id empty"),
        pytest.param(httpx.Response(202, json=[]), errors.SubmissionUncertain, id="a list"),
        pytest.param(httpx.Response(202), errors.SubmissionUncertain, id="empty"),
        pytest.param(httpx.ReadError("reset"), errors.CloudUnreachable, id="reset"),
        pytest.param(httpx.WriteError("reset"), errors.CloudUnreachable, id="reset while sending"),
        pytest.param(httpx.ReadTimeout("late"), errors.CloudUnreachable, id="no answer in time"),
        pytest.param(httpx.WriteTimeout("late"), errors.CloudUnreachable, id="not sent in time"),
        pytest.param(httpx.RemoteProtocolError("dropped"), errors.CloudUnreachable, id="dropped"),
    ],
)
async def test_a_create_whose_fate_is_unclear_is_sent_once_and_said_so(trouble, kind):
    """Nothing is sent again blindly: the service would create, and bill, twice."""
    played = PlayedCloud({CREATE: [trouble, {"job_id": "second"}]})

    with pytest.raises(kind, match=r"not known|may have been handled") as caught:
        await played.connect().sdrs.batch_create(BODY)

    assert len(played.asked) == 1
    assert getattr(caught.value, "sent", True)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 302])
async def test_a_create_that_is_refused_is_definite(status):
    """A 4xx, or a redirect that is not followed, created nothing."""
    played = PlayedCloud({CREATE: httpx.Response(status, json={})})

    with pytest.raises(errors.CloudError):
        await played.connect().sdrs.batch_create(BODY)

    assert len(played.asked) == 1


async def test_an_uncertain_create_keeps_its_cause_and_request_id():
    """Support will ask for the request id of the answer that left the doubt."""
    played = PlayedCloud({CREATE: an_error(500, "SDRS.0013", **{"X-Request-Id": "req-7"})})

    with pytest.raises(errors.SubmissionUncertain) as caught:
        await played.connect().sdrs.batch_create(BODY)

    assert caught.value.request_id == "req-7"
    assert isinstance(caught.value.__cause__, errors.ServiceError)


@pytest.mark.parametrize(
    "trouble",
    [httpx.ReadError("reset"), httpx.Response(502), httpx.ConnectError("refused")],
    ids=["reset", "502", "not connected"],
)
@pytest.mark.parametrize("credentials", [ACCESS, LOGIN], ids=["key", "login"])
async def test_trouble_before_a_create_leaves_no_doubt(trouble, credentials):
    """Where token or project could not be had, the create itself was not sent, and the error says that."""
    played = PlayedCloud({"POST /v3/auth/tokens": trouble, "GET /v3/projects": trouble})

    with pytest.raises(errors.CloudUnreachable) as caught:
        await played.connect(**credentials).sdrs.batch_create(BODY)

    assert not caught.value.sent
    assert played.asked == []


async def test_the_other_job_starters_are_as_careful():
    """Single create, batch delete, group creation and group actions are sent once too."""
    played = PlayedCloud(
        {
            "POST /v1/P/protected-instances": httpx.Response(500),
            "POST /v1/P/protected-instances/delete": httpx.Response(500),
            "POST /v1/P/server-groups": httpx.Response(500),
            "POST /v1/P/server-groups/g/action": httpx.Response(500),
        }
    )
    sdrs = played.connect().sdrs

    for work in (
        sdrs.create_protected_instance(BODY),
        sdrs.protected_instances_batch_delete(BODY),
        sdrs.create_group({"server_group": {}}),
        sdrs.group_action("g", {"start-server-group": {}}),
    ):
        with pytest.raises(errors.SubmissionUncertain):
            await work

    assert len(played.asked) == 4


async def test_the_body_is_sent_byte_for_byte():
    """What the preview shows is what leaves, spaces and Chinese characters included."""
    played = PlayedCloud({CREATE: {"job_id": "j"}})

    await played.connect().sdrs.batch_create(BODY)

    assert played.requests[-1].content == BODY
    assert played.requests[-1].headers["Content-Type"] == "application/json"
    assert played.requests[-1].headers["User-Agent"] == f"sdrs_nb/{__version__}"


async def test_no_more_calls_are_under_way_than_allowed():
    """The limit holds however many calls are started."""
    under_way = most = 0

    async def answer(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return played(request)

    played = PlayedCloud({GROUPS: NO_GROUPS})
    cloud = connect(
        endpoint="http://cloud.test", region="sandbox-1", parallel=3, transport=httpx.MockTransport(answer), **ACCESS
    )

    await asyncio.gather(*(cloud.sdrs.groups() for _ in range(30)))

    assert most == 3


async def test_a_pace_of_ones_own_hears_the_gateways_words():
    """A learned call budget needs the text of a 429, and every call asks it for a slot."""
    told = []

    class Listening:
        def slot(self, method, path):
            told.append((method, path))
            return asyncio.Semaphore(1)

        def heard(self, method, path, status, text):
            told.append((status, text))

    played = PlayedCloud({GROUPS: [THROTTLED, NO_GROUPS]})

    await played.connect(pace=Listening()).sdrs.groups()

    path = f"/v1/{PROJECT}/server-groups"
    assert told[-3][:2] == ("GET", path)
    assert told[-2][0] == 429
    assert "limit:20,time:1 second" in told[-2][1]
    assert told[-1] == ("GET", path)


def caused(error, cause):
    """Return ``error`` with ``cause`` behind it, as httpx raises it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "cause", "sentence"),
    [
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "unknown")), "name", "cloud.test cannot be resolved"),
        (caused(httpx.ConnectError("x"), ConnectionRefusedError()), "refused", "Nothing listens at cloud.test"),
        (
            caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("bad")),
            "certificate",
            "certificate of cloud.test",
        ),
        (httpx.ProxyError("407 Proxy Authentication Required"), "proxy", "A proxy on the way to cloud.test"),
        (httpx.ConnectTimeout("x"), "time", "cloud.test accepted no connection in time"),
        (httpx.ConnectError("odd"), "", "No connection to cloud.test: odd"),
        (httpx.ReadTimeout("x"), "time", "cloud.test gave no answer to GET /v3/projects in time"),
        (httpx.ReadError(""), "", "broke during GET /v3/projects: ReadError"),
    ],
)
async def test_no_answer_is_explained_by_host_and_what_to_check(error, cause, sentence):
    """Each reason has its own sentence and word, and each sentence names the host."""
    with pytest.raises(errors.CloudUnreachable, match=sentence) as caught:
        await PlayedCloud({"GET /v3/projects": error}).connect().check()

    assert caught.value.cause == cause


async def test_nobody_listening_is_told_from_a_real_socket():
    """On a real port where nothing listens, the error says that nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        async with connect(endpoint=endpoint, region="r", **ACCESS) as cloud:
            with pytest.raises(errors.CloudUnreachable, match=r"Nothing listens at 127.0.0.1") as caught:
                await cloud.check()

    assert not caught.value.sent


async def test_a_dropped_real_connection_counts_as_sent():
    """A server that hangs up after reading may have handled what it read."""

    async def hang_up(reader, writer):
        await reader.read(10)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(endpoint=endpoint, region="r", **ACCESS) as cloud:
            with pytest.raises(errors.CloudUnreachable) as caught:
                await cloud.check()

    assert caught.value.sent


async def test_the_language_of_the_clouds_messages_can_be_asked_for():
    """It is sent along only where it was named."""
    chosen, plain = (PlayedCloud({GROUPS: NO_GROUPS}) for _ in range(2))

    await chosen.connect(language="zh-cn").sdrs.groups()
    await plain.connect().sdrs.groups()

    assert chosen.requests[-1].headers["X-Language"] == "zh-cn"
    assert "X-Language" not in plain.requests[-1].headers
