import asyncio
import json

import httpx
import pytest

from sdrs_nb import errors
from sdrs_nb.cloud import Identity
from sdrs_nb.cloud.answers import Answer
from sdrs_nb.cloud.authentication import PasswordToken
from tests.builders_cloud import ACCESS, LOGIN, PROJECT, PlayedCloud, an_error

REFUSED = httpx.Response(401, json={"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication"})
GROUPS = {"server_groups": [], "count": 0}


def of_iam(played):
    """Return IAM's requests as lines."""
    return [f"{r.method} {r.url.path}" for r in played.requests if r.url.path.startswith("/v3")]


async def test_a_signed_check_finds_project_and_user():
    """An access key learns its project by the region's name, and whose it is."""
    played = PlayedCloud({})

    identity = await played.connect().check()

    assert identity == Identity(PROJECT, "sandbox-1", "u1", "", "http://cloud.test", "d1")
    assert played.requests[0].url.query == b"name=sandbox-1"


async def test_a_password_check_is_one_token():
    """A password is proven by the token that is needed anyway; it names user and project."""
    played = PlayedCloud({})

    identity = await played.connect(**LOGIN).check()

    assert identity == Identity(PROJECT, "sandbox-1", "u1", "operator", "http://cloud.test", "d1")
    assert of_iam(played) == ["POST /v3/auth/tokens"]


async def test_a_token_is_scoped_to_the_named_project():
    """The project's id scopes the token where it is known, and the account is named."""
    played = PlayedCloud({})

    await played.connect(**LOGIN, project_id=PROJECT).check()

    asked = json.loads(played.requests[0].content)["auth"]
    assert asked["scope"] == {"project": {"id": PROJECT}}
    assert asked["identity"]["password"]["user"]["domain"] == {"name": "account"}


async def test_a_given_token_is_asked_about_itself():
    """A token made elsewhere tells who it is for."""
    about = {"project": {"id": PROJECT, "name": "sandbox-1"}, "user": {"id": "u9", "name": "who"}}
    played = PlayedCloud({"GET /v3/auth/tokens": {"token": about}})

    identity = await played.connect(token="given").check()

    assert (identity.user_id, identity.project_id) == ("u9", PROJECT)
    assert played.requests[0].headers["X-Subject-Token"] == "given"


async def test_a_given_token_that_may_not_ask_lists_projects():
    """Where a token may not ask about itself, the project is looked up by name."""
    played = PlayedCloud({"GET /v3/auth/tokens": httpx.Response(403, json={})})

    identity = await played.connect(token="given").check()

    assert (identity.user_id, identity.project_id) == ("", PROJECT)


async def test_parallel_calls_prove_the_credentials_once():
    """However many calls start at once, one of them asks IAM and the others wait for it."""
    played = PlayedCloud({"GET /v1/P/server-groups": GROUPS})
    cloud = played.connect()

    await asyncio.gather(*(cloud.sdrs.groups() for _ in range(20)))

    assert len(of_iam(played)) == 2
    assert len(played.asked) == 20


async def test_refused_credentials_are_tried_once_by_parallel_calls():
    """Five refused signatures lock an access key, so twenty calls with bad credentials send one."""
    played = PlayedCloud({"GET /v3/projects": REFUSED})
    cloud = played.connect()

    failures = await asyncio.gather(*(cloud.sdrs.groups() for _ in range(20)), return_exceptions=True)
    again = await asyncio.gather(cloud.ecs.servers(), return_exceptions=True)

    assert {type(failure) for failure in [*failures, *again]} == {errors.AuthenticationError}
    assert len(played.requests) == 1


async def test_a_failed_check_other_than_refused_is_tried_again():
    """An outage is not remembered."""
    played = PlayedCloud({"GET /v3/projects": [*[httpx.Response(503)] * 3, {"projects": [{"id": PROJECT}]}]})
    cloud = played.connect()

    with pytest.raises(errors.ServiceError):
        await cloud.check()

    assert (await cloud.check()).project_id == PROJECT


@pytest.mark.parametrize(
    ("projects", "sentence"),
    [
        ([], "no project called sandbox-1"),
        ([{"id": "a", "name": "sandbox-1"}, {"id": "b", "name": "sandbox-1"}], "Several projects fit"),
    ],
    ids=["none", "two"],
)
async def test_a_project_that_cannot_be_told_is_asked_for(projects, sentence):
    """No project or several of one name: the operator names one."""
    played = PlayedCloud({"GET /v3/projects": {"projects": projects}})

    with pytest.raises(errors.SettingsError, match=sentence):
        await played.connect().check()


async def test_a_known_project_needs_no_permission_to_list_projects():
    """A 403 on the list proves the signature all the same."""
    played = PlayedCloud({"GET /v3/projects": httpx.Response(403, json={})})

    assert (await played.connect(project_id=PROJECT).check()).project_id == PROJECT


async def test_signed_calls_name_the_project_and_token_calls_carry_the_token():
    """The two authentications send the headers the gateway reads."""
    signed, carried = (PlayedCloud({"GET /v1/P/server-groups": GROUPS}) for _ in range(2))

    await signed.connect(security_token="sts").sdrs.groups()
    await carried.connect(**LOGIN).sdrs.groups()

    assert signed.requests[-1].headers["X-Project-Id"] == PROJECT
    assert "x-project-id;x-sdk-date;x-security-token" in signed.requests[-1].headers["Authorization"]
    assert carried.requests[-1].headers["X-Auth-Token"] == "token-1"


async def test_an_account_wide_service_is_asked_for_the_account():
    """Enterprise projects need the account's scope: its id in the signature, or a token of its own."""
    answers = {"GET /v1.0/enterprise-projects": {"enterprise_projects": [], "total_count": 0}}
    signed, carried = PlayedCloud(answers), PlayedCloud(answers)

    await signed.connect().eps.enterprise_projects()
    await carried.connect(**LOGIN).eps.enterprise_projects()

    assert signed.requests[-1].headers["X-Domain-Id"] == "d1"
    assert "X-Project-Id" not in signed.requests[-1].headers
    assert carried.requests[-1].headers["X-Auth-Token"] == "token-2"
    assert json.loads(carried.requests[-2].content)["auth"]["scope"] == {"domain": {"name": "account"}}


async def test_an_expired_token_is_renewed_once_and_the_call_repeated():
    """A 401 was not handled, so the call goes out again with a new token."""
    played = PlayedCloud({"GET /v1/P/server-groups": [REFUSED, GROUPS]})

    assert await played.connect(**LOGIN).sdrs.groups() == []

    assert [r.headers.get("X-Auth-Token") for r in played.requests if r.method == "GET"] == ["token-1", "token-2"]


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({"security_token": "sts"}, r"temporary keys: their security token \(arguments\) has likely expired"),
        (
            {"token": "given", "project_id": PROJECT},
            r"The token \(arguments\) was made elsewhere and has likely expired",
        ),
        ({}, None),
    ],
    ids=["temporary keys", "given token", "lasting keys"],
)
async def test_a_401_names_what_ends_by_itself(credentials, told):
    """The cloud says no more than that it does not accept them; which of them ended is known here."""
    played = PlayedCloud({"GET /v3/projects": REFUSED, "GET /v3/auth/tokens": REFUSED})

    with pytest.raises(errors.AuthenticationError, match="Incorrect IAM authentication") as caught:
        await played.connect(**credentials).check()

    assert (told is None) == ("expired" not in str(caught.value))
    if told:
        assert caught.match(told)
    assert (caught.value.status, caught.value.code) == (401, "APIGW.0301")


async def test_even_a_create_is_repeated_after_a_401():
    """Nothing was created by a call that was not let in."""
    played = PlayedCloud({"POST /v1/P/protected-instances/batch": [REFUSED, {"job_id": "j"}]})

    assert await played.connect(**LOGIN).sdrs.batch_create(b"{}") == "j"


async def test_a_second_401_is_the_answer():
    """Fresh credentials that are refused are refused."""
    played = PlayedCloud({"GET /v1/P/server-groups": REFUSED})

    with pytest.raises(errors.AuthenticationError):
        await played.connect(**LOGIN).sdrs.groups()

    assert len(played.asked) == 2


async def test_a_refused_signature_is_not_repeated():
    """A signature cannot be renewed and refusals are counted by the cloud."""
    played = PlayedCloud({"GET /v1/P/server-groups": REFUSED})

    with pytest.raises(errors.AuthenticationError):
        await played.connect().sdrs.groups()

    assert len(played.asked) == 1


async def test_twenty_calls_with_one_expired_token_renew_it_once():
    """Parallel pages that all meet a 401 share the new token."""

    def answer(request):
        return httpx.Response(200, json=GROUPS) if request.headers["X-Auth-Token"] != "token-1" else REFUSED

    played = PlayedCloud({"GET /v1/P/server-groups": answer})
    cloud = played.connect(**LOGIN)

    await asyncio.gather(*(cloud.sdrs.groups() for _ in range(20)))

    assert played.tokens == 2


async def test_a_wrong_password_is_sent_once():
    """A refused log-in is not tried again, and its error shows no password."""
    played = PlayedCloud({"POST /v3/auth/tokens": an_error(401, "401", "The username or password is wrong.")})

    with pytest.raises(errors.AuthenticationError, match="username or password is wrong") as caught:
        await played.connect(**LOGIN).sdrs.groups()

    assert len(played.requests) == 1
    assert LOGIN["password"] not in str(caught.value)


@pytest.mark.parametrize("credentials", [ACCESS, LOGIN, {"token": "very-secret-token"}], ids=["key", "login", "token"])
def test_no_secret_shows(credentials):
    """Neither the connection nor its settings show a credential."""
    cloud = PlayedCloud({}).connect(**credentials)
    shown = f"{cloud!r} {cloud} {cloud.settings!r} {cloud.settings} {vars(cloud)}"

    assert not any(credentials[name] in shown for name in ("secret_key", "password", "token") if name in credentials)
    assert ACCESS["access_key"] not in shown


def test_one_connection_serves_several_event_loops():
    """Calls cross to the private loop, so a connection outlives the loop it was first used on."""
    played = PlayedCloud({"GET /v1/P/server-groups": GROUPS})
    cloud = played.connect()

    for _ in range(3):
        assert asyncio.run(cloud.sdrs.groups()) == []

    assert len(of_iam(played)) == 2


async def test_a_closed_connection_says_so_and_may_be_closed_again():
    """Closing twice is fine; calling afterwards is answered with what to do."""
    played = PlayedCloud({})
    async with played.connect() as cloud:
        await cloud.check()

    await cloud.close()

    with pytest.raises(errors.SdrsError, match="connect\\(\\)"):
        await cloud.sdrs.groups()


async def test_a_caller_that_gives_up_does_not_take_the_check_from_others():
    """Cancelling one of two waiting calls leaves the other its answer."""
    ready = asyncio.Event()
    played = PlayedCloud({"GET /v1/P/server-groups": GROUPS})
    cloud = played.connect()
    impatient = asyncio.ensure_future(cloud.sdrs.groups())
    patient = asyncio.ensure_future(cloud.sdrs.groups())
    await asyncio.sleep(0)

    impatient.cancel()
    ready.set()

    assert await patient == []


async def test_the_project_comes_before_the_path():
    """An id cannot lead to another path, whatever is in it."""
    played = PlayedCloud({})

    for group_id in ("../..", "..", "a/b?c=d", "%2e%2e"):
        with pytest.raises(errors.NotFoundError):
            await played.connect(project_id=PROJECT).sdrs.group(group_id)

    assert played.asked == [
        "GET /v1/P/server-groups/..%2F..",
        "GET /v1/P/server-groups/%2E%2E",
        "GET /v1/P/server-groups/a%2Fb%3Fc%3Dd",
        "GET /v1/P/server-groups/%252e%252e",
    ]


async def test_renewing_a_token_does_not_wait_for_the_calls_that_need_it():
    """With one call allowed at a time, the log-in still finds its place."""
    played = PlayedCloud({"GET /v1/P/server-groups": [REFUSED, GROUPS]})

    assert await asyncio.wait_for(played.connect(**LOGIN, parallel=1).sdrs.groups(), 60) == []


async def test_a_token_is_renewed_ahead_of_its_end():
    """A token of 100 seconds is replaced after 90, by a clock that never jumps."""
    now = 0.0

    def short(request):
        return httpx.Response(
            201,
            json={"token": {"issued_at": "2026-01-31T00:00:00Z", "expires_at": "2026-01-31T00:01:40Z"}},
            headers={"X-Subject-Token": f"at-{now}"},
        )

    settings = PlayedCloud({}).connect(**LOGIN).settings
    token = PasswordToken(settings, lambda call: answered(short(call)), lambda: now)
    first = await token.token()
    now = 89.0
    same = await token.token()
    now = 91.0
    other = await token.token()

    assert [one.get_secret_value() for one in (first, same, other)] == ["at-0.0", "at-0.0", "at-91.0"]


async def answered(response):
    """Return what the transport returns for a response."""
    return response.json(), Answer(response.status_code, dict(response.headers), response.content)
