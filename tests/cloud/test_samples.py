"""The smallest read behind every frame goes where the frame's list goes; a connection that reads, and the way out."""

import httpx
import pytest

import sdrs_nb
from sdrs_nb.cloud.encryption import proxy_of
from sdrs_nb.inventory.loading import LISTED, documents_of
from sdrs_nb.settings import Settings
from tests.builders_cloud import ACCESS, PlayedCloud
from tests.builders_running import connected_to


async def test_every_frame_has_a_sample_where_its_list_is(cloud, sandbox):
    """What may be sampled may be loaded: same path, and no frame is forgotten."""
    await cloud.check()
    asked = {}
    for service in cloud.services.values():
        for frame in service.samples:
            start = len(sandbox.service.log.documents())
            await service.sample(frame)
            await documents_of(cloud, frame)
            asked[frame] = [one["path"] for one in sandbox.service.log.documents()[start:]]

    assert set(asked) == LISTED
    assert [frame for frame, (sample, *listed) in asked.items() if sample not in listed] == []


async def test_a_sample_says_what_its_list_would():
    """A denied list denies its sample."""
    denied = httpx.Response(403, json={"error_code": "APIGW.0302", "error_msg": "no"})

    with pytest.raises(sdrs_nb.PermissionDeniedError):
        await PlayedCloud({"GET /v1/P/server-groups": denied}).connect().sdrs.sample("groups")


async def test_a_reading_connection_refuses_the_rest_and_leaves_the_first_open(sandbox):
    """It is no more patient than the one it was made from, and closing it closes nothing else."""
    async with connected_to(sandbox, attempts=1, timeout=5) as cloud:
        async with cloud.reading(attempts=2, timeout_s=20) as reading:
            assert await reading.sdrs.groups()
            with pytest.raises(sdrs_nb.ReadOnlyError):
                await reading.sdrs.batch_create(b"{}")
        settings = reading.settings

        assert (settings.attempts, settings.timeout_s) == (1, 5)
        assert not cloud.settings.read_only
        assert await cloud.sdrs.groups()


@pytest.mark.parametrize(
    ("variables", "endpoint", "told"),
    [
        ({}, None, ""),
        ({"HTTPS_PROXY": "http://me:secret@proxy.test:3128"}, None, "proxy.test:3128"),
        ({"ALL_PROXY": "proxy.test"}, None, "proxy.test"),
        ({"HTTP_PROXY": "http://proxy.test:3128"}, None, ""),
        ({"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": "cloud.test"}, None, ""),
        ({"HTTPS_PROXY": "http://proxy.test:3128"}, "https://localhost:1", ""),
    ],
)
def test_the_proxy_of_an_address_is_told_without_its_password(variables, endpoint, told, monkeypatch):
    """As the HTTP library chooses it; a call to this machine goes through none."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert proxy_of("https://ecs.r.cloud.test", Settings(region="r", endpoint=endpoint, **ACCESS)) == told
