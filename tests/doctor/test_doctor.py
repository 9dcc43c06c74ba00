"""The doctor names what is wrong and what to do first, and only reads."""

import re

import pytest

import sdrs_nb
from sdrs_nb.doctor.findings import Check, Diagnosis
from sdrs_nb.i18n.choosing import set_language
from tests.builders_running import connected_to, control
from tests.doctor.states import PATHS, SELF_SIGNED, STATES, listening, playing, with_a_token, with_clocks_apart

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FINE = {"rulebook", "service", "shared_volumes", "clock", "permission.create"}


def row(report, check):
    """Return one row of the report."""
    return report.frame.set_index("check").loc[check]


async def written(sandbox):
    """Every request that the sandbox received and that was no read, but for a token."""
    sent = [(one["method"], one["path"]) for one in await control(sandbox, "GET", "requests")]
    return [one for one in sent if one[0] != "GET" and one != ("POST", "/v3/auth/tokens")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", STATES)
async def test_what_is_wrong_comes_first_with_what_to_do(state, language):
    """In both languages, as a row and as text; nothing but reads and the request for a token was sent."""
    opening, check, words = STATES[state]
    set_language(language)

    async with opening() as (sandbox, cloud):
        report = await sdrs_nb.doctor(cloud)
        sent = [] if sandbox is None else await written(sandbox)

    first = report.frame.iloc[0]
    line = repr(report).split("\n")[0]
    assert first["check"] == check, repr(report)
    assert first["state"] in {"failed", "warning"}
    assert first["remedy"]
    assert first["found"] in line
    assert first["remedy"] in line
    assert [word for word in words if word not in line] == []
    assert all(bool(CHINESE.search(first[part])) == (language == "zh") for part in ("found", "remedy"))
    assert sent == []


async def test_nothing_is_wrong_with_a_cloud_that_is_as_it_should_be(sandbox):
    """Every check but those that no cloud can pass ends well, and each is there once."""
    async with connected_to(sandbox) as cloud:
        report = await sdrs_nb.doctor(cloud)

    assert not report.has_failed
    assert set(report.frame.loc[report["state"] != "ok", "check"]) <= FINE
    assert report["check"].is_unique
    assert await written(sandbox) == []


@pytest.mark.parametrize("service", PATHS)
async def test_a_missing_permission_costs_what_depends_on_it(service):
    """What the job needs fails; for the rest the rules that stay unverified are named, if there are any."""
    async with STATES[f"no permission for {service}"][0]() as (_sandbox, cloud):
        found = row(await sdrs_nb.doctor(cloud), f"permission.{service}")

    assert found["state"] == ("failed" if service in {"sdrs", "ecs", "evs"} else "warning")
    assert ("Tenant Guest" in found["remedy"]) == (service != "eps")
    if service != "eps":  # names alone; no rule needs them
        assert re.search(r"unverified: [A-Z]\d", found["remedy"])


@pytest.mark.parametrize(
    ("path", "fault", "check", "state"),
    [
        ("/v1/*/server-groups", {"kind": "status", "status": 503}, "permission.sdrs", "failed"),
        ("/v1/*/active-domains", {"kind": "status", "status": 404}, "permission.sdrs", "warning"),
        ("/v1/*/pools/*", {"kind": "garbage"}, "permission.dss", "warning"),
        ("/v1/*/server-groups", {"kind": "reset"}, "reach.sdrs", "failed"),
        ("/v3/*/keypairs", {"kind": "reset"}, "reach.kps", "warning"),
        ("/v3/projects", {"kind": "status", "status": 500}, "reach.iam", "failed"),
        ("/v3/projects", {"kind": "reset"}, "reach.iam", "failed"),
    ],
)
async def test_a_service_in_trouble_is_told_from_a_missing_permission(path, fault, check, state):
    """It fails where there is no inventory without what was asked for; each says what to do."""
    async with playing({"match": f"GET {path}", "times": None, **fault}) as (sandbox, cloud):
        first = (await sdrs_nb.doctor(cloud)).frame.iloc[0]

        assert (first["check"], first["state"]) == (check, state)
        assert first["remedy"]
        assert await written(sandbox) == []


@pytest.mark.parametrize(("lasts_s", "state"), [(1800, "warning"), (7200, "ok")])
async def test_a_token_that_ends_soon_is_told(lasts_s, state):
    """A token that was made elsewhere is not renewed here."""
    async with with_a_token(lasts_s) as (_sandbox, cloud):
        found = row(await sdrs_nb.doctor(cloud), "credentials")

    assert found["state"] == state
    assert ("The token ends at" in found["found"]) == (state == "warning")


async def test_what_a_failure_keeps_from_being_looked_at_is_skipped():
    """A refused credential is one failure, and is not tried again."""
    async with STATES["wrong password"][0]() as (sandbox, cloud):
        report = await sdrs_nb.doctor(cloud)
        asked = await control(sandbox, "GET", "requests")

    assert report.counts["failed"] == 1
    assert len(asked) == 1
    assert row(report, "permission.sdrs")["state"] == "skipped"
    assert "Who calls" in row(report, "permission.sdrs")["found"]


@pytest.mark.parametrize(
    ("kind", "minutes", "state"),
    [("access key", 0, "ok"), ("access key", 5, "warning"), ("access key", -20, "failed"), ("password", 20, "warning")],
)
async def test_clocks_apart_matter_as_much_as_they_do(kind, minutes, state):
    """Only a signature is refused for it, and only from 15 minutes on."""
    async with with_clocks_apart(kind, minutes) as (_sandbox, cloud):
        found = row(await sdrs_nb.doctor(cloud), "clock")

    assert found["state"] == state
    assert ("ahead of" in found["found"]) == (minutes < 0)


async def test_the_issuer_of_a_certificate_is_told():
    """A proxy that opens TLS shows by the name of its owner."""
    async with listening(b"HTTP/1.1 401 Unauthorized", SELF_SIGNED) as port:
        endpoint = f"https://localhost:{port}"
        async with sdrs_nb.connect(
            endpoint=endpoint, region="r", access_key="AK", secret_key="SK", ca_file=SELF_SIGNED
        ) as cloud:
            found = row(await sdrs_nb.doctor(cloud), "tls")

    assert found["state"] == "ok"
    assert "localhost: TLSv1.3, A company's proxy" in found["found"]
    assert str(SELF_SIGNED) in found["found"]


@pytest.mark.parametrize(
    ("has_call", "cloud_host", "state"),
    [
        (True, "myhuaweicloud.com", "ok"),
        (False, "myhuaweicloud.com", "failed"),
        (False, "otc.t-systems.com", "ok"),
        (True, "otc.t-systems.com", "ok"),
    ],
)
async def test_a_probe_tells_whether_the_batch_call_is_there(has_call, cloud_host, state):
    """One create leaves, which creates nothing: 400 where the call is, 404 where it is not."""
    async with playing(options={"cloud_host": cloud_host}, batch_available=has_call) as (sandbox, cloud):
        before = await control(sandbox, "GET", "world")
        report = await sdrs_nb.doctor(cloud, probe_batch=True)
        after, asked = await control(sandbox, "GET", "world"), await control(sandbox, "GET", "requests")

    posts = [one for one in asked if one["method"] != "GET"]
    assert [(one["status"], one["handled"]) for one in posts] == [(400 if has_call else 404, False)]
    assert after == before
    found = row(report, "batch_call")
    assert found["state"] == state
    assert ("has the batch call" in found["found"]) == has_call


@pytest.mark.parametrize("status", [401, 403, 500, 202])
async def test_a_probe_that_is_answered_otherwise_proves_nothing(status):
    """A refusal of another kind says nothing of the call; an accepted create is the worst of all."""
    body = {"job_id": "j1"} if status == 202 else {"error_code": "APIGW.0302", "error_msg": "no"}
    wrong = {"kind": "status", "match": "POST /v1/*", "status": status, "body": body, "times": None}
    async with playing(wrong) as (_sandbox, cloud):
        report = await sdrs_nb.doctor(cloud, probe_batch=True)

    assert row(report, "batch_call")["state"] == ("failed" if status == 202 else "warning")
    assert row(report, "permission.create")["state"] == ("failed" if status == 403 else "skipped")


async def test_a_connection_that_reads_only_is_not_probed_with(sandbox):
    """What was asked for by name is still refused to it."""
    async with connected_to(sandbox, read_only=True) as cloud:
        report = await sdrs_nb.doctor(cloud, probe_batch=True)

    assert row(report, "batch_call")["state"] == "skipped"
    assert await written(sandbox) == []


async def test_nothing_is_probed_behind_a_failure():
    """Where the project is not ours nothing is sent to it."""
    async with STATES["wrong project"][0]() as (sandbox, cloud):
        report = await sdrs_nb.doctor(cloud, probe_batch=True)

        assert row(report, "batch_call")["state"] == "skipped"
        assert await written(sandbox) == []


async def test_roles_of_a_token_tell_whether_it_may_create(sandbox):
    """A signature names none, and then it is said what is needed."""
    async with connected_to(sandbox, kind="password") as cloud:
        assert row(await sdrs_nb.doctor(cloud), "permission.create")["state"] == "ok"
    async with connected_to(sandbox) as cloud:
        found = row(await sdrs_nb.doctor(cloud), "permission.create")

    assert found["state"] == "skipped"
    assert all(role in found["remedy"] for role in ("SDRS Administrator", "Tenant Guest", "Server Administrator"))


async def test_the_connection_goes_on_after_it(sandbox):
    """The doctor's own connection is closed, the caller's is not."""
    async with connected_to(sandbox) as cloud:
        await sdrs_nb.doctor(cloud)

        assert await cloud.sdrs.groups()


async def test_a_rule_book_may_be_chosen(cloud):
    """Its limits are what is told; a name that nobody knows is refused."""
    found = row(await sdrs_nb.doctor(cloud, rulebook="otc"), "limits")["found"]

    assert "One server" in found
    with pytest.raises(sdrs_nb.SettingsError, match="nowhere"):
        await sdrs_nb.doctor(cloud, rulebook="nowhere")


async def test_a_report_shows_itself_without_trusting_a_name(sandbox):
    """What a cloud says is text in a cell, and every finding is there."""
    body = {"error_code": "<b>", "error_msg": "<script>alert(1)</script>"}
    wrong = {"kind": "status", "match": "GET /v3/*/keypairs", "status": 403, "body": body, "times": None}
    async with playing(wrong) as (_sandbox, cloud):
        report = await sdrs_nb.doctor(cloud)

    shown = report._repr_html_()
    assert "<script>" not in shown
    assert shown.count("sdrs-message") >= len(report)


def test_a_report_is_the_worst_first():
    """By state; within one the order stays."""
    assert list(Check) == ["failed", "warning", "skipped", "ok"]
    assert Diagnosis([]).summary == ""


async def test_the_package_of_its_name_is_called_like_it(cloud):
    """``sdrs_nb.doctor`` is first the function and then the package: both do the same."""
    from sdrs_nb import doctor

    assert callable(doctor)
    assert (await sdrs_nb.doctor(cloud)).counts == (await doctor(cloud)).counts
