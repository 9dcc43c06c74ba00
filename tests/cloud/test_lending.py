"""Keys that are lent: by the metadata service of a server, by a command; renewed ahead of their end, told nowhere."""

import json
import shlex
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import httpx
import pytest

import sdrs_nb
from sdrs_nb.cloud.authentication import LentSignature
from sdrs_nb.cloud.lending import Keys, by_command, by_metadata
from sdrs_nb.errors import AuthenticationError
from sdrs_nb.sandbox import Sandbox
from sdrs_nb.settings.secret import Secret
from tests.builders_cloud import PlayedCloud

NOW = datetime(2026, 1, 31, tzinfo=UTC)
CANARY = "cANARY5f0ecANARY5f0ecANARY5f0ecANARY5f0e"


class MetadataService:
    """The metadata service of a server: what it is told it answers, what was asked is kept."""

    def __init__(self, *, token=(200, "metadata-token"), key=(200, "{}")):
        self.token, self.key, self.asked = token, key, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self):
                self.answer("PUT", outer.token)

            def do_GET(self):
                self.answer("GET", outer.key)

            def answer(self, method, told):
                outer.asked.append((method, self.path, dict(self.headers)))
                body = told[1].encode()
                self.send_response(told[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()


def in_an_hour():
    """When lent keys end, as the service writes it."""
    return f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%fZ}"


def a_credential(**changed):
    """What the metadata service answers."""
    held = {"access": "AK0", "secret": CANARY, "securitytoken": "TOKEN-0", "expires_at": in_an_hour()}
    return json.dumps({"credential": {**held, **changed}})


def printing(text, before=""):
    """A command that prints a text."""
    return shlex.join([sys.executable, "-c", f"{before}print({text!r})"])


async def signed(lent, scope=None):
    """The headers of a request that is signed with lent keys."""
    made = await lent.ready(scope or {"project": "p"})
    return made(SimpleNamespace(method="GET", path="/v1/p/x", query=(), body=b"", host="h"))


@pytest.mark.parametrize("token", [(200, "metadata-token"), (404, "no such path"), (405, "")])
async def test_the_metadata_service_lends_keys(token):
    """With a token of its own where it knows such, without one where it does not."""
    with MetadataService(token=token, key=(200, a_credential())) as service:
        keys = await by_metadata(service.origin)

    assert keys.access_key.get_secret_value() == "AK0"
    assert keys.security_token.get_secret_value() == "TOKEN-0"
    assert timedelta(minutes=59) < keys.ends - datetime.now(UTC) <= timedelta(hours=1)
    (_put, (_get, path, headers)) = service.asked
    assert path == "/openstack/latest/securitykey"
    assert headers.get("X-Metadata-Token") == ("metadata-token" if token[0] == 200 else None)


REFUSALS = {
    "no agency": ({"key": (404, "no agency")}, "configure an agency"),
    "not allowed": ({"key": (401, "Please configure Cloud Service Agency first")}, "configure an agency"),
    "a token service in trouble": ({"token": (500, "")}, "answered 500"),
    "no JSON": ({"key": (200, f"<html>{CANARY}</html>")}, "holds no access key"),
    "half a pair": ({"key": (200, json.dumps({"credential": {"access": CANARY}}))}, "holds no access key"),
    "a key with a line break": ({"key": (200, a_credential(access="a\nb"))}, "holds no access key"),
    "ended": ({"key": (200, a_credential(expires_at="2020-01-01T00:00:00Z"))}, "ended at 2020-01-01"),
    "no time": ({"key": (200, a_credential(expires_at=CANARY))}, "no time"),
}


@pytest.mark.parametrize(("told", "said"), REFUSALS.values(), ids=REFUSALS)
async def test_a_metadata_service_without_keys_is_a_sentence(told, said):
    """What was answered is never in it."""
    with MetadataService(**told) as service, pytest.raises(AuthenticationError, match=said) as caught:
        await by_metadata(service.origin)

    assert CANARY not in str(caught.value)


async def test_outside_of_the_cloud_the_sentence_says_so():
    """Nothing listens there."""
    with pytest.raises(AuthenticationError, match="outside of a server of the cloud"):
        await by_metadata("http://127.0.0.1:9")


FORMS = {
    "ours": {"access_key": "AK0", "secret_key": "S", "security_token": "T", "expires_at": "2999-01-01T00:00:00Z"},
    "the vendor's": {"credential": {"access": "AK0", "secret": "S", "securitytoken": "T", "expires_at": "2999-01-01"}},
    "others'": {"Version": 1, "AccessKeyId": "AK0", "SecretAccessKey": "S", "SessionToken": "T",
                "Expiration": "2999-01-01T00:00:00+00:00"},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_command_lends_keys(form):
    """In our words, the vendor's, or those that commands for other clouds print."""
    keys = await by_command(printing(json.dumps(form)))

    assert [each.get_secret_value() for each in (keys.access_key, keys.secret_key, keys.security_token)] == [
        "AK0", "S", "T"
    ]  # fmt: skip
    assert keys.ends == datetime(2999, 1, 1, tzinfo=UTC)


async def test_keys_of_a_command_without_an_end_do_not_end():
    """Permanent ones out of a safe."""
    keys = await by_command(printing('{"access_key": "AK0", "secret_key": "S"}'))

    assert keys.ends is None
    assert keys.security_token is None


BAD_COMMANDS = {
    "fails": (
        shlex.join([sys.executable, "-c", f"import sys; print('{CANARY}'); sys.exit('{CANARY}')"]),
        "ended with 1",
    ),
    "is not there": (f"/no/such/{CANARY}", "No such file"),
    "is no command": (f'"{CANARY}', "it is no command"),
    "is empty": (" ", "it is no command"),
    "prints no keys": (printing(f'{{"password": "{CANARY}"}}'), "holds no access key"),
    "prints without end": (shlex.join([sys.executable, "-c", f"print('{CANARY}' * 10**4)"]), "holds no access key"),
    "takes too long": (printing(CANARY, "import time; time.sleep(60);"), "took longer than 2 s"),
}


@pytest.mark.parametrize(("command", "said"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
async def test_a_command_that_lends_none_is_a_sentence(command, said, caplog, capfd):
    """It quotes neither the command nor what it printed; nor does a log or the terminal."""
    begun = time.monotonic()

    with pytest.raises(AuthenticationError, match=said) as caught:
        await by_command(command, limit_s=2)

    told = str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert CANARY not in told
    assert time.monotonic() - begun < 30


async def test_a_command_is_run_without_a_shell(tmp_path):
    """What a shell would take for its own are letters."""
    made = tmp_path / "made"

    with pytest.raises(AuthenticationError):
        await by_command(f"{sys.executable} -c pass ; touch {made} $(touch {made}) | touch {made}")

    assert not made.exists()


class Lender:
    """Lends keys of so many seconds, each another, or none while it is out."""

    def __init__(self, life_s):
        self.life_s, self.lent, self.is_out, self.elapsed = life_s, 0, False, 0.0

    def now(self):
        return NOW + timedelta(seconds=self.elapsed)

    async def __call__(self):
        if self.is_out:
            raise AuthenticationError("out", method="GET", path="/", status=401)
        self.lent += 1
        ends = None if self.life_s is None else self.now() + timedelta(seconds=self.life_s)
        return Keys(Secret(f"AK{self.lent}"), Secret("S"), Secret("T"), ends)

    def signature(self):
        return LentSignature(self, clock=lambda: self.elapsed, now=self.now)


#: Life of the keys, seconds that pass, how often keys were lent by then.
RENEWALS = [
    (3600, 0, 1), (3600, 3119, 1), (3600, 3121, 2), (600, 479, 1), (600, 481, 2), (None, 10**7, 1), (30, 29, 1),
    (30, 31, 2),
]  # fmt: skip


@pytest.mark.parametrize(("life_s", "passed", "lent"), RENEWALS)
async def test_keys_are_renewed_before_they_end(life_s, passed, lent):
    """Eight minutes before, or with a fifth of a short life left; never more often than once a minute."""
    lender = Lender(life_s)
    signature = lender.signature()
    await signed(signature)
    lender.elapsed = passed

    headers = await signed(signature)

    assert lender.lent == lent
    assert f"Access=AK{lent}," in headers["Authorization"]
    assert headers["X-Security-Token"] == "T"


async def test_keys_that_still_hold_are_used_while_none_are_lent():
    """Only when they have ended is it an error, and the lender is not asked at every call."""
    lender = Lender(3600)
    signature = lender.signature()
    await signed(signature)
    lender.is_out, lender.elapsed = True, 3200

    assert "Access=AK1," in (await signed(signature))["Authorization"]
    lender.elapsed = 3601
    with pytest.raises(AuthenticationError):
        await signed(signature)
    lender.is_out = False
    assert "Access=AK2," in (await signed(signature))["Authorization"]


async def test_refused_keys_are_asked_for_again_once():
    """A lender that lends refused keys again is not asked a third time: refusals in a row lock a key."""
    lender = Lender(3600)
    signature = lender.signature()
    await signed(signature)

    assert signature.renew(signature.serial())
    await signed(signature)
    assert lender.lent == 2
    assert not signature.renew(signature.serial())


async def test_a_job_is_done_with_lent_keys(monkeypatch):
    """Both ways, from the environment; the settings say where they were found and show none of it."""
    sandbox = Sandbox(servers=6, seed=7, speed=0)
    keys = sandbox.credentials
    lent = {"access": keys["access_key"], "secret": keys["secret_key"], "expires_at": in_an_hour()}
    with MetadataService(key=(200, json.dumps({"credential": lent}))) as service:
        ways = {
            "SDRS_NB_CREDENTIALS": "ecs",
            "SDRS_NB_CREDENTIAL_PROCESS": printing(json.dumps({"credential": lent})),
        }
        for name, value in ways.items():
            monkeypatch.setenv("SDRS_NB_METADATA_URL", service.origin)
            monkeypatch.setenv(name, value)
            transport = httpx.ASGITransport(sandbox.app)
            async with sdrs_nb.connect(
                endpoint="http://localhost", project_id=keys["project_id"], sandbox=True, transport=transport
            ) as cloud:
                inventory = await sdrs_nb.load_inventory(cloud)
            monkeypatch.delenv(name)

            assert len(inventory.servers) == 6
            assert name in cloud.settings.found_in.values()
            told = repr(cloud) + repr(cloud.settings) + cloud.settings.model_dump_json()
            assert keys["secret_key"] not in told
            assert keys["access_key"] not in told
    assert [method for method, _path, _headers in service.asked] == ["PUT", "GET"]


async def test_a_gateway_that_repeats_lent_keys_does_not_show_them():
    """The access key, the token and the signature are cut out of its words."""

    def echo(request):
        return httpx.Response(403, json={"error": {"code": "X.1", "message": str(sorted(request.headers.values()))}})

    played = PlayedCloud({"GET /v3/projects": echo})
    command = printing(json.dumps({"access": "AKOFTHECANARY1234567", "secret": CANARY, "securitytoken": "TOKENCANARY"}))
    async with played.connect(credential_process=command, access_key=None, secret_key=None) as cloud:
        with pytest.raises(sdrs_nb.CloudError) as caught:
            await cloud.check()

    assert "CANARY" not in str(caught.value)
    assert "X-Security-Token" in {name.title() for name in played.requests[0].headers}


async def test_nobody_asks_the_metadata_service_unless_told_to():
    """Where no credentials are found, the search says where it looked, and this is none of the places."""
    with MetadataService(key=(200, a_credential())) as service, pytest.raises(sdrs_nb.SettingsError):
        sdrs_nb.connect(region="cn-north-4")

    assert service.asked == []
