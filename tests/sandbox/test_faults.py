"""Every kind of fault, and what the client sees and the world remembers."""

import httpx
import pytest

BATCH = "POST /v1/*/protected-instances/batch"


async def switch_on(cloud, *faults):
    """Post a list of faults."""
    answer = await cloud.http.post("/_sandbox/faults", json=list(faults))
    assert answer.status_code == 200, answer.text


async def last_request(cloud):
    """Give the last logged batch create."""
    log = await cloud.get("/_sandbox/requests")
    return [entry for entry in log if entry["path"].endswith("/batch")][-1]


async def test_status_gives_any_answer(cloud):
    """A status fault answers with any status and body, once, and handles nothing."""
    body = {"error": {"code": "SDRS.0013", "message": "x"}}
    await switch_on(cloud, {"match": BATCH, "kind": "status", "status": 503, "body": body})

    first, second = await cloud.batch(cloud.plain()), await cloud.batch(cloud.plain())

    assert (first.status_code, first.json(), second.status_code) == (503, body, 202)


async def test_status_after_handling(cloud):
    """With handle the request is carried out before the forced answer."""
    await switch_on(cloud, {"match": BATCH, "kind": "status", "status": 502, "handle": True})

    answer = await cloud.batch(cloud.plain())

    assert (answer.status_code, answer.content) == (502, b"")
    assert (await last_request(cloud))["handled"] is True


async def test_throttle_speaks_as_the_gateway(cloud, code_of):
    """A throttle fault is 429 APIGW.0308 and handles nothing."""
    await switch_on(cloud, {"match": BATCH, "kind": "throttle", "times": 2, "limit": 5})

    answers = [await cloud.batch(cloud.plain()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 202]
    assert "limit:5,time:1 second" in answers[0].json()["error_msg"]


@pytest.mark.parametrize(("kind", "handled"), [("reset", False), ("lost_answer", True)])
async def test_dropped_connections(cloud, kind, handled):
    """A reset never reaches the service; a lost answer was carried out. The client cannot tell them apart."""
    await switch_on(cloud, {"match": BATCH, "kind": kind})
    server_id = cloud.plain()[0]

    with pytest.raises(httpx.TransportError):
        await cloud.batch([server_id])

    entry = await last_request(cloud)
    assert (entry["status"], entry["handled"]) == (None, handled)
    assert (server_id in cloud.world.instance_by_server) is handled


async def test_late_handle_acts_after_the_drop(cloud):
    """Dropped now, carried out 90 cloud seconds later."""
    await switch_on(cloud, {"match": BATCH, "kind": "late_handle", "seconds": 90})
    server_id = cloud.plain()[0]
    with pytest.raises(httpx.TransportError):
        await cloud.batch([server_id])

    cloud.sandbox.advance(89)
    before = server_id in cloud.world.instance_by_server
    cloud.sandbox.advance(1)

    assert (before, server_id in cloud.world.instance_by_server) == (False, True)
    assert (await last_request(cloud))["handled"] is True


async def test_a_late_request_that_is_refused_disturbs_nobody(cloud):
    """What a late request is told when its time comes goes to nobody: the next caller gets its own answer."""
    await switch_on(cloud, {"match": BATCH, "kind": "late_handle", "seconds": 90})
    server_id = cloud.plain()[0]
    with pytest.raises(httpx.TransportError):
        await cloud.batch([server_id])
    await cloud.batch([server_id])

    cloud.sandbox.advance(91)

    assert (await cloud.call("GET", "/v1/{p}/protected-instances")).status_code == 200
    assert cloud.world.creations[server_id] == 1


@pytest.mark.parametrize("match", [BATCH, "GET /v1/*/protected-instances"])
async def test_list_lag_hides_new_instances_for_a_while(cloud, match):
    """Lists show a new instance only after the lag; the instance itself is there at once."""
    await switch_on(cloud, {"match": match, "kind": "list_lag", "seconds": 30})
    server_id = cloud.plain()[0]
    await cloud.batch([server_id])
    instance_id = cloud.world.instance_by_server[server_id]

    def listed(page):
        return instance_id in {instance["id"] for instance in page["protected_instances"]}

    first = listed(await cloud.get("/v1/{p}/protected-instances"))
    cloud.sandbox.advance(31)
    second = listed(await cloud.get("/v1/{p}/protected-instances"))

    assert (first, second) == (False, True)
    assert (await cloud.call("GET", f"/v1/{{p}}/protected-instances/{instance_id}")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/{p}/protected-instances", "/v1/{p}/cloudservers/detail", "/v1/{p}/vpcs"])
async def test_a_short_list_leaves_rows_out_and_counts_them(cloud, path):
    """Every page lacks its last rows while the count stays, until the fault is switched off."""
    name = {"detail": "servers"}.get(path.rpartition("/")[2], path.rpartition("/")[2].replace("-", "_"))
    whole = await cloud.get(path)

    await switch_on(cloud, {"match": "GET *", "kind": "short_list", "n": 2})
    short, again = await cloud.get(path), await cloud.get(path)
    await switch_on(cloud, {"match": "GET *", "kind": "short_list", "n": 10_000})
    nothing = await cloud.get(path)

    assert short == again == {**whole, name: whole[name][:-2]}
    assert nothing == {**whole, name: []}


async def test_garbage_is_no_json(cloud):
    """A garbage answer is 200 with a body no JSON parser takes, and handles nothing."""
    await switch_on(cloud, {"match": BATCH, "kind": "garbage"})

    answer = await cloud.batch(cloud.plain())

    with pytest.raises(UnicodeDecodeError):
        answer.json()
    assert (await last_request(cloud))["handled"] is False


async def test_no_job_id_is_accepted_without_one(cloud):
    """202 without a job id, though the job is there."""
    await switch_on(cloud, {"match": BATCH, "kind": "no_job_id"})

    answer = await cloud.batch(cloud.plain())

    assert (answer.status_code, answer.json()) == (202, {})
    assert len((await cloud.get("/_sandbox/world"))["jobs"]) == 1


async def test_expire_token_ends_the_token_in_use(cloud, code_of):
    """The token that meets the fault is dead from then on; a new one works."""
    await switch_on(cloud, {"match": "GET /v1/*/vpcs", "kind": "expire_token"})

    answers = [await cloud.call("GET", "/v1/{p}/vpcs") for _ in range(2)]
    cloud.http.headers["X-Auth-Token"] = cloud.service.directory.issue(cloud.project)[0] + ""

    assert [code_of(answer) for answer in answers] == ["APIGW.0301", "APIGW.0301"]


async def test_fail_subjob_fails_the_nth_server(cloud):
    """The parent fails with the code while the other sub-jobs succeed."""
    await switch_on(cloud, {"match": BATCH, "kind": "fail_subjob", "code": "Ecs.0018", "n": 2})
    answer = await cloud.batch(cloud.plain(3))
    cloud.sandbox.advance(300)

    job = await cloud.job(answer)

    assert [sub["status"] for sub in job["entities"]["sub_jobs"]] == ["SUCCESS", "FAIL", "SUCCESS"]
    assert (job["status"], job["error_code"]) == ("FAIL", "Ecs.0018")


async def test_stuck_job_never_ends(cloud):
    """A stuck job is RUNNING for ever and its instance creating."""
    await switch_on(cloud, {"match": BATCH, "kind": "stuck_job"})
    answer = await cloud.batch(cloud.plain())
    cloud.sandbox.advance(10 * 86400)

    assert (await cloud.job(answer))["status"] == "RUNNING"


@pytest.mark.parametrize("match", [BATCH, "GET /v1/*/jobs/*"])
async def test_vanished_job_is_unknown_but_was_done(cloud, code_of, match):
    """The job cannot be found any more; what it did is there."""
    await switch_on(cloud, {"match": match, "kind": "vanish_job"})
    server_id = cloud.plain()[0]
    answer = await cloud.batch([server_id])
    cloud.sandbox.advance(300)

    gone = await cloud.call("GET", f"/v1/{{p}}/jobs/{answer.json()['job_id']}")

    assert code_of(gone) == "SDRS.0408"
    assert cloud.world.instances[cloud.world.instance_by_server[server_id]].status == "available"


async def test_late_subjobs_are_listed_late(cloud):
    """Sub-jobs appear in their parent only after the delay."""
    await switch_on(cloud, {"match": BATCH, "kind": "late_subjobs", "seconds": 60})
    answer = await cloud.batch(cloud.plain(2))

    cloud.sandbox.advance(30)
    early = (await cloud.job(answer))["entities"]["sub_jobs"]
    cloud.sandbox.advance(60)
    late = (await cloud.job(answer))["entities"]["sub_jobs"]

    assert (len(early), len(late)) == (0, 2)


async def test_probability_is_drawn_from_the_seed(make_cloud):
    """The same requests meet the same faults in every run."""
    runs = []
    for _ in range(2):
        cloud = make_cloud(3)
        await switch_on(cloud, {"match": "GET *", "kind": "status", "status": 500, "probability": 0.5})
        runs.append([(await cloud.call("GET", "/v1/{p}/vpcs")).status_code for _ in range(30)])

    assert runs[0] == runs[1]
    assert {200, 500} == set(runs[0])


async def test_slow_answers_take_their_time(cloud, monkeypatch):
    """A slow fault waits wall seconds before anything else happens."""
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    await switch_on(cloud, {"match": "GET *", "kind": "slow", "seconds": 2.5})

    await cloud.get("/v1/{p}/vpcs")

    assert waited == [2.5]


@pytest.mark.parametrize("body", [{}, [{"kind": "nonsense"}], [{"kind": "reset", "foo": 1}], [1]])
async def test_bad_fault_lists_are_refused(cloud, body):
    """A list that makes no sense is answered with one sentence and changes nothing."""
    answer = await cloud.http.post("/_sandbox/faults", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_reset_ends_all_faults(cloud):
    """After a reset there are no faults, no requests and no instances of ours."""
    await switch_on(cloud, {"kind": "reset", "times": 5})
    await cloud.http.post("/_sandbox/reset", json={})

    assert await cloud.get("/_sandbox/faults") == []
    assert await cloud.get("/_sandbox/requests") == []
    assert (await cloud.get("/_sandbox/world"))["creations"] == {}
