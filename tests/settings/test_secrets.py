"""Secrets have one type and one way out: no text form, no message, no log."""

import ast
import html
import json
import logging
import pickle
import subprocess
import sys
from pathlib import Path
from traceback import TracebackException
from urllib.parse import quote

import httpcore
import httpx
import pytest
from pydantic import SecretStr

import sdrs_nb
from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.cloud.logs import LOGGERS, quieten_libraries
from sdrs_nb.settings import is_loopback, resolve
from sdrs_nb.settings.secret import Secret
from tests.builders_cloud import PlayedCloud

PACKAGE = Path(sdrs_nb.__file__).parent
CANARY = "cANARY-5f0e"
#: What breaks a header, a log line or a request apart, or is no character at all.
BREAKS = ["\n", "\r\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "ö", "密", "\u200b", " ", "\t"]


def opening(path):
    """Calls of ``get_secret_value`` in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "get_secret_value"]


def test_one_function_opens_secrets():
    """The signer and the request for a token ask it; everybody else has nothing to open them with."""
    found = {path.relative_to(PACKAGE).as_posix(): len(opening(path)) for path in PACKAGE.rglob("*.py")}

    assert {name: n for name, n in found.items() if n and not name.startswith("sandbox/")} == {
        "cloud/authentication.py": 1
    }


def test_a_secret_has_no_text_form():
    """Not shown, not formatted, not dumped, not pickled."""
    secret = Secret(CANARY)
    forms = [repr(secret), str(secret), f"{secret}", json.dumps([secret], default=str)]

    assert CANARY not in "".join(forms)
    assert isinstance(secret, SecretStr)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


def test_what_travels_with_a_call_is_not_shown():
    """A debugger shows the variables of a frame: a body may hold a password, headers of an answer a token."""
    call = Call("POST", "iam", "/v3/auth/tokens", body=CANARY.encode())
    answer = Answer(201, {"x-subject-token": CANARY}, CANARY.encode())

    assert CANARY not in repr((call, answer))


@pytest.mark.parametrize("name", ["token", "security_token", "access_key", "secret_key", "user", "password", "domain"])
@pytest.mark.parametrize("sign", BREAKS, ids=[f"{ord(sign[0]):04x}" for sign in BREAKS])
def test_a_secret_that_no_header_takes_is_refused_before_a_library_sees_it(name, sign, tmp_path):
    """It names where the value was found and never quotes it; blanks and other scripts may be in names."""
    given = {"token": {"token": "t"}, "user": LOGIN, "password": LOGIN, "domain": LOGIN}.get(name, KEYS)
    arguments = {**given, name: f"{CANARY}{sign}{CANARY}", "region": "r-1", "project_id": "p"}
    in_names = name in LOGIN and sign in {"ö", "密", " ", "\t"}

    def settings():
        return resolve(arguments, environ={}, home=tmp_path, folder=tmp_path)

    if in_names:
        assert settings().kind == "password"
        return
    with pytest.raises(sdrs_nb.SettingsError, match=rf"{name} \(arguments\) holds a character") as caught:
        settings()
    assert CANARY not in str(caught.value)


LOGIN = {"user": "u", "password": "p", "domain": "d"}
KEYS = {"access_key": "a", "secret_key": "s", "security_token": "t"}


async def test_a_token_that_no_header_takes_is_not_taken_from_the_cloud():
    """The answer to a login names none, then."""
    played = PlayedCloud(
        {"POST /v3/auth/tokens": httpx.Response(201, json={"token": {}}, headers={"X-Subject-Token": f"{CANARY} x"})}
    )

    with pytest.raises(sdrs_nb.errors.AuthenticationError, match="without a token") as caught:
        await played.connect(access_key=None, secret_key=None, **LOGIN).sdrs.groups()

    assert CANARY not in str(caught.value)


def test_every_logger_of_the_http_libraries_is_filtered():
    """A library that logs in a new place would log past us."""
    quieten_libraries()
    known = {
        name
        for name in logging.root.manager.loggerDict
        if name.partition(".")[0] in {"httpx", "httpcore"} and name != "httpcore"
    }

    assert known <= {*LOGGERS}
    assert all(logging.getLogger(name).filters for name in LOGGERS)
    assert httpcore.__version__.startswith("1.")


SCRIPT = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
import sdrs_nb
box = sdrs_nb.start_sandbox(servers=5, seed=3)
found = {name.removeprefix("SDRS_NB_").lower(): value for name, value in box.environment().items()}
async def load(**keys):
    async with box.connect(**keys) as cloud:
        await sdrs_nb.load_inventory(cloud)
        print("KIND", cloud.settings.kind)
asyncio.run(load(**{name: found[name] for name in ("user", "password", "domain")}))
asyncio.run(load())
box.stop()
print("SECRETS", found["password"], found["secret_key"], found["access_key"])
"""


@pytest.mark.slow
def test_a_log_of_everything_holds_no_secret(tmp_path):
    """Two whole loads at level DEBUG, by password and by key: no token, no signature, no password, no key."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    log, _, secrets = done.stdout.partition("SECRETS ")

    assert done.returncode == 0, done.stderr[-2000:]
    assert "KIND password" in log
    assert "KIND access key" in log
    assert "receive_response_headers.complete return_value=(not logged)" in log
    assert "X-Subject-Token" not in log
    assert "Signature=" not in log
    assert not [secret for secret in secrets.split() if secret in log]


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "[::1]")),
        *(
            (host, False)
            for host in (
                *("127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.", "evil.example"),
                *("127.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "[::]", "[::ffff:10.0.0.1]", "10.0.0.1", ""),
            )
        ),
    ],
)
def test_only_an_address_of_this_machine_is_one(host, is_own):
    """A name may lead anywhere, however it begins; a password in clear goes nowhere else."""
    assert is_loopback(f"http://{host}:8080") is is_own


@pytest.mark.parametrize(
    ("value", "is_fit"),
    [
        ("http://proxy:3128", True),
        ("proxy:3128", True),
        (f"http://u:{CANARY}@proxy:3128", True),
        (f"http://u:{CANARY}@proxy:99999", False),
        (f"http://u:{CANARY}@", False),
        (f"socks5://u:{CANARY}@proxy", False),
        (f"file:///{CANARY}", False),
        ("cANARY5f0ecANARY5f0ecANARY5f0ecANARY5f0e", False),
        (f"http://u:{CANARY}@pro\nxy", False),
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_looked_at_when_settings_are_read(name, value, is_fit, tmp_path):
    """The library would find out at the first call, and quote it."""
    arguments = {"token": "t", "region": "r-1", "project_id": "p"}
    if is_fit:
        assert resolve(arguments, environ={name: value}, home=tmp_path, folder=tmp_path).kind == "token"
        return
    with pytest.raises(sdrs_nb.SettingsError, match=f"{name.upper()} is not the address of a proxy") as caught:
        resolve(arguments, environ={name: value}, home=tmp_path, folder=tmp_path)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("name", ["ca_file", "SSL_CERT_FILE"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\x00"])
def test_certificates_are_looked_at_when_settings_are_read(name, content, tmp_path):
    """A file that is missing, empty or something else is named before the first call."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    arguments = {"token": "t", "region": "r-1", "project_id": "p"}
    environ = {name: str(path)} if name.isupper() else {"SDRS_NB_CA_FILE": str(path)}

    with pytest.raises(sdrs_nb.SettingsError, match=r"certificate file (.*ca\.pem cannot be used|of the name given)"):
        resolve(arguments, environ=environ, home=tmp_path, folder=tmp_path)


@pytest.mark.parametrize("trouble", [httpx.Response(407), httpx.ProxyError("407 Proxy Authentication Required")])
async def test_a_proxy_that_wants_a_password_is_told_with_what_to_set(trouble):
    """The call did not reach the cloud, and the words name the variable."""
    played = PlayedCloud({"GET /v1/P/server-groups": trouble})

    with pytest.raises(sdrs_nb.SdrsError, match=r"HTTPS_PROXY=http://user:password@host:port"):
        await played.connect(attempts=1).sdrs.groups()


#: As the cloud makes them.
KEY, SECRET_KEY = "CANARYKEY0CANARYKEY0", "cAnArY0123456789cAnArY0123456789cAnArY01"


@pytest.mark.parametrize("name", ["region", "project_id", "project_name", "domain", "domain_id", "user", "cloud_host"])
@pytest.mark.parametrize("key", [KEY, SECRET_KEY, f" {SECRET_KEY}\n"], ids=["access key", "secret key", "blanks"])
def test_a_key_in_the_place_of_something_that_is_shown_is_refused(name, key, tmp_path):
    """A region is in every host name and every message; the key is not quoted."""
    arguments = {**LOGIN, "region": "r-1", "project_id": "p", name: key}

    with pytest.raises(sdrs_nb.SettingsError, match=f"{name} .arguments. ") as caught:
        resolve(arguments, environ={}, home=tmp_path, folder=tmp_path)

    assert key.strip() not in str(caught.value)


@pytest.mark.parametrize("region", ["cn-north-4", "eu-de", "RegionOne", "r-1"])
def test_a_region_is_no_key(region, tmp_path):
    """Names of regions, and ids of 32 hexadecimal digits, are taken."""
    arguments = {**LOGIN, "region": region, "project_id": "0123456789abcdef" * 2}

    assert resolve(arguments, environ={}, home=tmp_path, folder=tmp_path).region == region


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": CANARY},
        {"endpoint": f"https://u:{CANARY}@host"},
        {"endpoints": {"ecs": CANARY}},
        {"profile": CANARY},
        {"ca_file": CANARY},
        {"ca_file": CANARY * 100},
        {"language": CANARY},
        {"timeout": CANARY},
        {"sandbox": CANARY},
        {"no_such_option": CANARY},
        {"access_key": CANARY},
        {"token": f"{CANARY}\n{CANARY}"},
    ],
    ids=str,
)
def test_no_variable_of_connect_is_beside_its_traceback(wrong):
    """Tools that show the variables of frames show none that holds what was given, in the error or behind it."""
    given = {"region": "r-1", "project_id": "p", **({} if "access_key" in wrong else {"token": f"{CANARY}2"}), **wrong}

    with pytest.raises((sdrs_nb.SettingsError, TypeError)) as caught:
        sdrs_nb.connect(**given)

    error = caught.value
    trace = error.__traceback__.tb_next  # from where it enters the package
    shown = "".join(TracebackException(type(error), error, trace, capture_locals=True).format())
    assert "def made" not in shown
    assert CANARY not in shown
    assert error.__context__ is None


@pytest.mark.parametrize("spelled", [str, json.dumps, quote, html.escape])
@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 502])
async def test_a_gateway_that_repeats_a_request_tells_no_secret(status, spelled):
    """Error pages of proxies show headers and bodies; what was sent is cut out before it is told."""
    secret = f'{CANARY}+/="\\'

    def repeated(request):
        said = " ".join(f"{name}: {spelled(value)}" for name, value in request.headers.items())
        return httpx.Response(status, text=f"Trace: {said} {spelled(secret)}", headers={"X-Request-Id": secret})

    played = PlayedCloud({"GET /v1/P/server-groups": repeated})
    keys = {"access_key": "AK-" + CANARY, "secret_key": secret, "security_token": f"{CANARY}-token"}

    with pytest.raises(sdrs_nb.CloudError) as caught:
        await played.connect(attempts=1, **keys).sdrs.groups()

    said = f"{caught.value!r} {vars(caught.value)}"
    assert CANARY not in said
    assert "Signature=" not in said
    assert "(not shown)" in said


async def test_a_login_that_is_repeated_tells_no_password():
    """IAM, or what answers in its place, repeats the body it was sent."""
    login = {"user": "operator", "domain": "account", "password": f'{CANARY} "ö'}
    played = PlayedCloud({"POST /v3/auth/tokens": lambda request: httpx.Response(401, content=request.content)})

    with pytest.raises(sdrs_nb.AuthenticationError) as caught:
        await played.connect(access_key=None, secret_key=None, **login).sdrs.groups()

    assert CANARY not in f"{caught.value!r} {vars(caught.value)}"


async def test_a_short_password_spoils_no_message():
    """Where a secret is too short to be one, the cloud's words stay as they are."""
    played = PlayedCloud({"GET /v1/P/server-groups": httpx.Response(403, json={"code": "SDRS.0003", "message": "no"})})

    with pytest.raises(sdrs_nb.PermissionDeniedError, match=r"SDRS\.0003: no\."):
        await played.connect(access_key="o", secret_key="SDRS").sdrs.groups()


async def test_the_path_that_ends_in_the_access_key_is_in_no_frame():
    """Where the call that asks whose key it is finds nobody, its error shows neither path nor address."""
    played = PlayedCloud({f"GET /v3.0/OS-CREDENTIAL/credentials/{KEY}": httpx.ConnectError("refused")})

    with pytest.raises(sdrs_nb.CloudUnreachable) as caught:
        await played.connect(attempts=1, access_key=KEY, secret_key="s").sdrs.groups()

    error = caught.value
    shown = "".join(TracebackException(type(error), error, error.__traceback__, capture_locals=True).format())
    package = shown.partition("sdrs_nb/")[2]
    assert KEY not in package
