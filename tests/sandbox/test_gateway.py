"""What the gateway and IAM say before any service is reached."""

import pytest


def login(credentials, scope, password=None):
    """Give the body of a password login."""
    user = {
        "name": credentials["user"],
        "password": password or credentials["password"],
        "domain": {"name": credentials["domain"]},
    }
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    return body if scope is None else {"auth": {**body["auth"], "scope": scope}}


async def test_token_login_gives_a_token_and_a_catalogue(cloud):
    """A login answers 201 with the token in X-Subject-Token and the endpoints of every service."""
    credentials = cloud.sandbox.credentials
    body = login(credentials, {"project": {"name": credentials["region"]}})

    answer = await cloud.http.post("/v3/auth/tokens", json=body, headers={"X-Auth-Token": ""})

    token = answer.json()["token"]
    assert answer.status_code == 201
    assert token["project"]["id"] == credentials["project_id"]
    assert {entry["name"] for entry in token["catalog"]} >= {"iam", "ecs", "evs", "vpc", "kms", "sdrs", "as", "eps"}
    assert (
        await cloud.http.get(f"/v1/{cloud.project}/vpcs", headers={"X-Auth-Token": answer.headers["X-Subject-Token"]})
    ).is_success


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"password": "wrong"}, 401, id="wrong password"),
        pytest.param({"scope": {"project": {"name": "elsewhere"}}}, 401, id="unknown project"),
        pytest.param({"scope": {"project": "x"}}, 400, id="scope is no object"),
    ],
)
async def test_bad_login_is_refused_with_an_integer_code(cloud, change, status):
    """IAM words its refusals with the HTTP status as an integer code and a title."""
    credentials = cloud.sandbox.credentials
    body = login(credentials, change.get("scope", {"project": {"name": credentials["region"]}}), change.get("password"))

    answer = await cloud.http.post("/v3/auth/tokens", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
    assert answer.json()["error"]["title"]


REFUSALS = [
    pytest.param("GET", "/v1/{p}/nowhere", "good", 404, "APIGW.0101", id="unknown path"),
    pytest.param("PATCH", "/v1/{p}/vpcs", "good", 404, "APIGW.0101", id="unknown method"),
    pytest.param("GET", "/v1/{p}/vpcs", "none", 401, "APIGW.0301", id="no credentials"),
    pytest.param("GET", "/v1/{p}/vpcs", "garbage", 401, "APIGW.0301", id="not a token"),
    pytest.param("GET", "/v1/{p}/vpcs", "other", 403, "APIGW.0302", id="token of another project"),
    pytest.param("GET", "/v1/{p}/vpcs", "account", 403, "APIGW.0302", id="token of the account"),
    pytest.param("GET", "/v1.0/enterprise-projects", "good", 403, "APIGW.0302", id="project token at a global service"),
]


@pytest.mark.parametrize(("method", "path", "token", "status", "code"), REFUSALS)
async def test_gateway_refuses_with_its_own_body(cloud, method, path, token, status, code):
    """The gateway's body carries error_code, error_msg and request_id."""
    directory = cloud.service.directory
    tokens = {
        "good": directory.issue(cloud.project)[0],
        "other": directory.issue(directory.other_project.id)[0],
        "account": directory.issue("")[0],
        "garbage": "MIISBnothing.at-all",
    }
    if token in tokens:
        cloud.http.headers["X-Auth-Token"] = tokens[token]
    else:
        del cloud.http.headers["X-Auth-Token"]

    answer = await cloud.call(method, path)

    assert answer.status_code == status
    assert set(answer.json()) == {"error_code", "error_msg", "request_id"}
    assert answer.json()["error_code"] == code
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


async def test_token_expires_after_a_day_of_wall_time(make_cloud):
    """A token is good for 24 hours on the wall clock, whatever cloud time does."""
    wall = [1_800_000_000.0]
    cloud = make_cloud(3, wall=lambda: wall[0])

    wall[0] += 24 * 3600 - 1
    before = await cloud.call("GET", "/v1/{p}/vpcs")
    wall[0] += 2
    after = await cloud.call("GET", "/v1/{p}/vpcs")

    assert (before.status_code, after.status_code) == (200, 401)


async def test_other_project_is_empty_but_open_to_its_own_token(cloud):
    """The account's second project answers its own token, with nothing in it."""
    other = cloud.service.directory.other_project
    cloud.http.headers["X-Auth-Token"] = cloud.service.directory.issue(other.id)[0]

    answer = await cloud.http.get(f"/v1/{other.id}/cloudservers/detail")

    assert answer.json() == {"servers": [], "count": 0}


async def test_project_list_finds_the_region_by_name(cloud):
    """Filtering by the region's name gives exactly the default project."""
    found = await cloud.get("/v3/projects", name=cloud.sandbox.credentials["region"])

    assert [project["id"] for project in found["projects"]] == [cloud.project]


async def test_throttle_words_its_limit_as_the_gateway_does(make_cloud):
    """When throttling is on, the request over the limit is 429 APIGW.0308 with limit and window in the text."""
    from dataclasses import replace

    from sdrs_nb.sandbox import Settings

    cloud = make_cloud(3, settings=replace(Settings(), requests_per_second=2), wall=lambda: 1_800_000_000.0)

    answers = [await cloud.call("GET", "/v1/{p}/vpcs") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error_msg"].endswith("limit:2,time:1 second")


async def test_the_request_log_shows_no_access_key(cloud):
    """The one path that ends in an access key is logged without it."""
    key = cloud.sandbox.credentials["access_key"]

    answer = await cloud.http.get(f"/v3.0/OS-CREDENTIAL/credentials/{key}")

    logged = (await cloud.http.get("/_sandbox/requests")).text
    assert answer.is_success
    assert "/v3.0/OS-CREDENTIAL/credentials/(access key)" in logged
    assert key not in logged
