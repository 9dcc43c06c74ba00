"""The tape: what is recorded, for whom, and that nothing of anybody is in it."""

import json
import stat

import httpx
import pytest

import sdrs_nb
from sdrs_nb.cloud.answers import Call
from sdrs_nb.cloud.tape import Recorder, key_file
from sdrs_nb.errors import CloudUnreachable, SettingsError
from sdrs_nb.sandbox import Sandbox
from tests.builders_cloud import PlayedCloud, an_error
from tests.builders_running import connected_to
from tests.canary_search import Search


class Planting(httpx.AsyncBaseTransport):
    """A sandbox whose every text is replaced by one that gives itself away, each another."""

    def __init__(self, app):
        self._inner, self.planted = httpx.ASGITransport(app), []

    async def handle_async_request(self, request):
        answer = await self._inner.handle_async_request(request)
        document = json.loads(await answer.aread())
        named = {"date": self._plant(), "x-sandbox-time": self._plant(), "retry-after": self._plant()}
        named |= {"x-request-id": self._plant(), "set-cookie": self._plant(), "x-trace": self._plant()}
        return httpx.Response(answer.status_code, json=self._with_canaries(document), headers=named)

    def _plant(self):
        self.planted.append(f"canary{len(self.planted):06}zq")
        return self.planted[-1]

    def _with_canaries(self, value):
        if isinstance(value, dict):
            return {name: self._with_canaries(one) for name, one in value.items()} | {self._plant(): None}
        if isinstance(value, list):
            return [self._with_canaries(one) for one in value]
        return self._plant() if isinstance(value, str) else value


@pytest.mark.slow
async def test_no_text_of_any_answer_is_in_the_tape(tmp_path):
    """Every text of every field is a canary, names of fields and headers beside them: none is there in any spelling."""
    planting = Planting(Sandbox(servers=6, seed=7, speed=0).app)
    async with connected_to(Sandbox(servers=6, seed=7, speed=0), record=tmp_path / "t", transport=planting) as cloud:
        await sdrs_nb.load_inventory(cloud)

    search = Search({each: each for each in planting.planted})

    assert len(planting.planted) > 1000
    assert not search.in_folder(tmp_path / "t")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["access key", "password"])
async def test_no_credential_and_no_name_of_the_estate_is_in_the_tape(tmp_path, kind):
    """Keys, password, token, user, account, and whatever servers, volumes, groups and networks are called."""
    sandbox = Sandbox(servers=30, seed=7, speed=0)
    async with connected_to(sandbox, kind, record=tmp_path / "t") as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)

    secrets = {name: text for name, text in sandbox.credentials.items() if name != "region"}
    frames = (inventory.servers, inventory.volumes, inventory.groups, inventory.vpcs, inventory.subnets)
    told = ("_id", "name", "ips", "tags")
    texts = {text for frame in frames for name in set(frame.columns) - {"image_name"} if name.endswith(told)
             for cell in frame[name].dropna().astype(str) for text in cell.split(",")}  # fmt: skip
    known = {*inventory.flavors["flavor_id"], "0"}
    wanted = {text: text for text in texts - known if len(text) > 5 and not text.startswith("sandbox-1")}
    assert len(wanted) > 150
    written = b"".join(path.read_bytes() for path in (tmp_path / "t").iterdir()).lower()
    assert not Search(secrets).in_text("tape", written)
    assert not [text for text in wanted if json.dumps(text)[1:-1].lower().encode() in written]


async def test_a_tape_is_private_and_its_key_is_elsewhere(tmp_path):
    """One file a connection, readable by its owner alone; the key lies in the home folder and stays the same."""
    sandbox = Sandbox(servers=3, seed=7, speed=0)
    for _connection in range(2):
        async with connected_to(sandbox, record=tmp_path / "t") as cloud:
            await cloud.check()

    files = sorted((tmp_path / "t").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*files, key_file())} == {0o600}
    assert not key_file().is_relative_to(tmp_path / "t")
    lines = [[json.loads(line) for line in path.read_text().splitlines()] for path in files]
    assert lines[0][0]["settings"] == lines[1][0]["settings"]
    assert [line["n"] for line in lines[0][1:]] == [1, 2]


async def test_failures_and_answers_that_are_no_json_are_recorded(tmp_path):
    """What a real cloud does when it is in trouble is what a tape is for."""
    answers = {
        "GET /v1/P/vpcs": [httpx.ReadTimeout("x"), an_error(429, "APIGW.0308"), {"vpcs": []}],
        "GET /v1/P/subnets": httpx.Response(502, text="<html>proxy07.corp.local: Bad Gateway</html>"),
    }
    async with PlayedCloud(answers).connect(record=tmp_path) as cloud:
        await cloud.vpc.vpcs()
        with pytest.raises(sdrs_nb.ServiceError):
            await cloud.vpc.subnets()

    (path,) = tmp_path.glob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    of_vpcs = [line for line in lines if line["path"].endswith("/vpcs")]
    assert [line.get("failure") or line["answer"]["status"] for line in of_vpcs] == [
        {"sent": True, "cause": "time"}, 429, 200
    ]  # fmt: skip
    (text, *_again) = [line["answer"]["text"] for line in lines if line["path"].endswith("/subnets")]
    assert "Bad Gateway" in text
    assert "corp" not in text


async def test_nothing_leaves_when_the_tape_cannot_be_written(tmp_path):
    """A folder that is a file, or the folder of the key itself: refused before the first request."""
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", key_file().parent):
        played = PlayedCloud({})
        async with played.connect(record=place) as cloud:
            with pytest.raises(SettingsError):
                await cloud.check()
        assert played.requests == []


async def test_a_full_disk_ends_the_tape_and_nothing_else(tmp_path, caplog):
    """An answer is never lost because it could not be recorded; a sentence says that the tape ends."""
    played = PlayedCloud({"GET /v1/P/vpcs": {"vpcs": []}})
    async with played.connect(record=tmp_path) as cloud:
        await cloud.check()
        (path,) = tmp_path.glob("*.jsonl")
        path.unlink()
        path.mkdir()
        assert await cloud.vpc.vpcs() == []

    assert "ends here" in caplog.text


async def test_the_environment_names_the_folder_too(tmp_path, monkeypatch):
    """``SDRS_NB_TAPE`` records; the argument wins."""
    monkeypatch.setenv("SDRS_NB_TAPE", str(tmp_path / "env"))
    async with PlayedCloud({}).connect() as cloud:
        await cloud.check()
    async with PlayedCloud({}).connect(record=tmp_path / "argument") as cloud:
        await cloud.check()

    assert [len([*(tmp_path / name).iterdir()]) for name in ("env", "argument")] == [1, 1]


def test_an_unsent_request_is_told_from_a_lost_answer(tmp_path):
    """A recorder keeps whether the request may have arrived."""
    recorder = Recorder(tmp_path, PlayedCloud({}).connect().settings)
    for sent in (True, False):
        recorder.keep(recorder.begin(), Call("GET", "vpc", "/v1/x"), "/v1/x", CloudUnreachable("x", sent=sent))

    (path,) = tmp_path.glob("*.jsonl")
    assert [json.loads(line)["failure"]["sent"] for line in path.read_text().splitlines()[1:]] == [True, False]
