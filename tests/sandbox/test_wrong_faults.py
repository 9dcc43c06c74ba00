"""What is posted to a control route is checked as it comes: 400 with what is right, and nothing of it is taken."""

import json

import pytest

JSON = {"Content-Type": "application/json"}
GOOD = '{"kind": "status", "match": "GET /v3/projects", "status": 503}'
#: A key with a wrong value, as JSON text, and what the answer says is right.
WRONG = [
    ("kind", '"nonsense"', "'late_subjobs'"),
    ("kind", '"Reset"', "'reset'"),
    ("kind", "null", "'reset'"),
    ("kind", "1", "'reset'"),
    ("kind", '["reset"]', "'reset'"),
    ("match", "5", "string"),
    ("match", "null", "string"),
    ("match", "[]", "string"),
    ("match", '""', "method and path"),
    ("match", '"GET"', "method and path"),
    ("match", '"get /v1/*"', "method and path"),
    ("match", '"GET  /v1/*"', "method and path"),
    ("match", '"GET v1"', "method and path"),
    ("match", '"GET /v1 /v2"', "method and path"),
    ("match", json.dumps("GET /" + "*" * 500), "500"),
    ("times", "0", "1"),
    ("times", "-1", "1"),
    ("times", "1.5", "integer"),
    ("times", '"2"', "integer"),
    ("times", "true", "integer"),
    ("times", "1" + "0" * 30, "1000000"),
    ("probability", "1.01", "1"),
    ("probability", "-0.1", "0"),
    ("probability", '"0.5"', "number"),
    ("probability", "false", "number"),
    ("probability", "null", "number"),
    ("after", "-1", "0"),
    ("after", "0.5", "integer"),
    ("after", "null", "integer"),
    ("status", "199", "200"),
    ("status", "100", "200"),
    ("status", "600", "599"),
    ("status", "0", "200"),
    ("status", "-500", "200"),
    ("status", "500.5", "integer"),
    ("status", '"500"', "integer"),
    ("status", "true", "integer"),
    ("status", "null", "integer"),
    ("handle", "1", "boolean"),
    ("handle", '"true"', "boolean"),
    ("handle", "null", "boolean"),
    ("seconds", '"x"', "number"),
    ("seconds", "null", "number"),
    ("seconds", "true", "number"),
    ("seconds", "[1]", "number"),
    ("seconds", "-1", "0"),
    ("seconds", "1e300", "315576000"),
    ("limit", "0", "1"),
    ("limit", '"20"', "integer"),
    ("code", "1350", "string"),
    ("code", '""', "1 character"),
    ("code", "null", "string"),
    ("n", "0", "1"),
    ("n", "-1", "1"),
    ("n", '"1"', "integer"),
    ("n", "1.0e99", "integer"),
    ("seed", '"7"', "integer"),
    ("seed", "7.5", "integer"),
    ("headers", "[]", "dictionary"),
    ("headers", "null", "dictionary"),
    ("headers", '{"X-Limit": 5}', "string"),
    ("headers", '{"X Limit": "5"}', "header fields"),
    ("headers", '{"": "5"}', "header fields"),
    ("headers", '{"X-Limit\\r\\nX-Other": "5"}', "header fields"),
    ("headers", '{"Content-Length": "5"}', "header fields"),
    ("headers", '{"transfer-encoding": "chunked"}', "header fields"),
    ("headers", '{"X-Limit": "5\\r\\nX-Other: 6"}', "Latin letters"),
    ("headers", '{"X-Limit": "\\u4e2d"}', "Latin letters"),
    ("fired", "0", "kind, match, times"),
    ("Kind", '"reset"', "kind, match, times"),
    ("foo", "1", "kind, match, times"),
]


@pytest.fixture(name="post")
def _post(cloud):
    async def post(route, text):
        return await cloud.http.post(f"/_sandbox/{route}", content=text, headers=JSON)

    return post


async def is_as_before(cloud):
    """Tell whether exactly the good fault is on and every call of the cloud goes on working."""
    on = [(fault["kind"], fault["match"]) for fault in await cloud.get("/_sandbox/faults")]
    struck, free = await cloud.call("GET", "/v3/projects"), await cloud.call("GET", "/v1/{p}/vpcs")
    return (on, struck.status_code, free.status_code) == ([("status", "GET /v3/projects")], 503, 200)


@pytest.mark.parametrize(("key", "value", "right"), WRONG)
async def test_a_wrong_fault_is_named_with_what_is_right(cloud, post, key, value, right):
    """Index, key and remedy in one answer; the faults that were on stay on, the good one beside it is not taken."""
    await post("faults", f"[{GOOD}]")
    fields = {"kind": '"slow"', key: value}
    wrong = "{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}"

    answer = await post("faults", f'[{{"kind": "garbage"}}, {wrong}]')

    said = answer.json()["error"]
    assert answer.status_code == 400
    assert said.startswith(f"fault 1, {key}")
    assert right in said
    assert await is_as_before(cloud)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[NaN]", "no JSON"),
        ('[{"kind": "slow", "seconds": NaN}]', "no JSON"),
        ('[{"kind": "slow", "seconds": Infinity}]', "no JSON"),
        ('[{"kind": "slow", "seconds": 1e999}]', "no JSON"),
        ('[{"kind": "status", "body": {"a": -1e999}}]', "no JSON"),
        ('[{"kind": "status", "body": "\\ud800"}]', "no JSON"),
        ('[{"kind": "status", "body": ' + "9" * 5000 + "}]", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[" * 300 + "]" * 300, "no JSON"),
        ("null", "list of at most 100 fault objects"),
        ("1", "list of at most 100 fault objects"),
        ('"reset"', "list of at most 100 fault objects"),
        ("{}", "list of at most 100 fault objects"),
        ('{"kind": "reset"}', "list of at most 100 fault objects"),
        ("[1]", "fault 0: should be a JSON object"),
        ("[null]", "fault 0: should be a JSON object"),
        ("[[]]", "fault 0: should be a JSON object"),
        ('[{"kind": "reset"}, "reset"]', "fault 1: should be a JSON object"),
        ("[{}]", "fault 0, kind: is missing"),
        ("[" + ",".join(['{"kind": "reset"}'] * 101) + "]", "list of at most 100 fault objects"),
        ('[{"kind": "slow", "seconds": 3601}]', "fault 0: seconds of a slow answer should be at most 3600"),
        ('[{"kind": "status", "status": 204, "body": "x"}]', "fault 0: body should be left out"),
        ('[{"kind": "status", "status": 304, "body": {}}]', "fault 0: body should be left out"),
    ],
    ids=range(25),
)
async def test_what_is_no_list_of_faults_is_refused(cloud, post, text, said):
    """One JSON sentence tells what to post, whatever came; nothing changes."""
    await post("faults", f"[{GOOD}]")

    answer = await post("faults", text)

    assert (answer.status_code, said in answer.json()["error"]) == (400, True)
    assert await is_as_before(cloud)


async def test_a_body_that_is_not_utf_8_is_refused(cloud):
    """Bytes that are no text, and text of another encoding."""
    bodies = (b'[{"kind": "status", "body": "\xff"}]', "[]".encode("utf-16"), b"\xef\xbb\xbf[]")

    answers = [await cloud.http.post("/_sandbox/faults", content=body, headers=JSON) for body in bodies]

    assert [answer.status_code for answer in answers] == [400, 400, 400]


async def test_every_wrong_fault_of_a_list_is_named(post):
    """What is wrong in several places is told at once."""
    said = (await post("faults", '[{"kind": "x"}, {"kind": "slow", "seconds": "x", "n": 0}]')).json()["error"]

    assert all(where in said for where in ("fault 0, kind", "fault 1, seconds", "fault 1, n"))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset", "match": "*"},
        {"kind": "reset", "match": "* *"},
        {"kind": "reset", "match": "/v1/*"},
        {"kind": "reset", "match": "*/protected-instances*"},
        {"kind": "reset", "match": "POST *action"},
        {"kind": "reset", "match": "* /v1/*/vpcs"},
        {"kind": "reset", "times": None},
        {"kind": "reset", "times": 1_000_000, "probability": 0, "after": 1_000_000, "seed": None},
        {"kind": "reset", "probability": 1, "seed": -1},
        {"kind": "slow", "seconds": 3600},
        {"kind": "late_handle", "seconds": 315_576_000},
        {"kind": "short_list", "n": 1_000_000},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": 599, "body": None},
        {"kind": "status", "status": 204},
    ],
    ids=str,
)
async def test_the_ends_of_every_range_are_taken(cloud, fault):
    """What is documented is not refused."""
    answer = await cloud.http.post("/_sandbox/faults", json=[fault])

    assert (answer.status_code, len(answer.json())) == (200, 1)


@pytest.mark.parametrize(
    "body", ["text", "", [], [1, None], {}, {"a": [{"b": "\u4e2d"}]}, 0, -1.5, True, False, 10**300], ids=repr
)
async def test_a_forced_answer_has_any_json_as_its_body(cloud, body):
    """A string goes out as text, everything else as JSON."""
    await cloud.http.post("/_sandbox/faults", json=[{"kind": "status", "status": 500, "body": body}])

    answer = await cloud.call("GET", "/v1/{p}/vpcs")

    assert answer.status_code == 500
    assert (answer.text if isinstance(body, str) else answer.json()) == body


async def test_a_forced_answer_has_the_headers_it_was_given(cloud):
    """Names as they are, values in Latin letters."""
    headers = {"Retry-After": "5", "X-Empty": "", "X-Name": "caf\u00e9 au lait", "Content-Type": "text/html"}
    await cloud.http.post("/_sandbox/faults", json=[{"kind": "status", "body": {}, "headers": headers}])

    answer = await cloud.call("GET", "/v1/{p}/vpcs")

    assert {name: answer.headers[name] for name in headers} == headers


@pytest.mark.parametrize(("route", "key"), [("advance", "seconds"), ("speed", "speed")])
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e999", "1e300", "9" * 400, "9" * 5000, "-1", "-0.001", "true", "false", "null",
     '"5"', '""', "[]", "[1]", "{}"],
    ids=lambda text: text[:9],
)  # fmt: skip
async def test_a_number_is_a_number_in_its_range(cloud, post, route, key, value):
    """Anything else is 400 with the key in it, and the clock stands where it stood."""
    before = cloud.service.clock.now()

    answer = await post(route, f'{{"{key}": {value}}}')

    assert (answer.status_code, key in answer.json()["error"]) == (400, True)
    assert (cloud.service.clock.now(), cloud.service.clock.speed) == (before, 0)


@pytest.mark.parametrize(("route", "key"), [("advance", "seconds"), ("speed", "speed")])
@pytest.mark.parametrize("text", ["", "null", "[]", "5", "{}", '{"second": 5}', '{"%s": 5, "more": 1}', '[{"%s": 5}]'])
async def test_a_number_comes_in_an_object_of_its_own(post, route, key, text):
    """Nothing left out, nothing beside it."""
    answer = await post(route, text.replace("%s", key))

    assert (answer.status_code, f'Post {{"{key}": n}}' in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("route", "text"),
    [("advance", '{"seconds": 0}'), ("advance", '{"seconds": 0.5}'), ("advance", '{"seconds": 315576000}'),
     ("speed", '{"speed": 0}'), ("speed", '{"speed": 0.5}'), ("speed", '{"speed": 1000000}')],
)  # fmt: skip
async def test_the_ends_of_a_numbers_range_are_taken(post, route, text):
    """No time and ten years, standstill and a million seconds a second."""
    assert (await post(route, text)).status_code == 200


@pytest.mark.parametrize("text", ["null", "[]", "1", '"all"', '{"servers": 5}', '{"": null}', "{", "NaN"])
async def test_a_reset_has_no_options(cloud, post, text):
    """What asks for another reset than there is resets nothing."""
    await cloud.batch(cloud.plain())

    answer = await post("reset", text)

    assert (answer.status_code, "no options" in answer.json()["error"]) == (400, True)
    assert sum(cloud.world.creations.values()) == 1


@pytest.mark.parametrize("text", ["", "{}", " {} "])
async def test_a_reset_comes_empty_or_as_an_empty_object(cloud, post, text):
    """Both take the world back to its start."""
    await cloud.batch(cloud.plain())

    answer = await post("reset", text)

    assert (answer.status_code, dict(cloud.world.creations)) == (200, {})


async def test_time_ends_before_a_date_can_no_longer_be_written(cloud, post):
    """However often it is moved on, every document can still be read and every call is answered."""
    await cloud.batch(cloud.plain())
    cloud.service.clock.advance(6970 * 365.25 * 86400)

    moved = [(await post("advance", '{"seconds": 315576000}')).status_code for _ in range(3)]
    made = await cloud.batch(cloud.plain(1))

    assert moved == [200, 200, 200]
    assert made.status_code == 202
    assert (await cloud.call("GET", "/v1/{p}/protected-instances")).headers["X-Sandbox-Time"].startswith("9000-01-01")
    assert len((await cloud.get("/_sandbox/world"))["jobs"]) == 2
