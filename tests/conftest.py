"""What many tests need: a sandbox cloud in this process, a cloud that talks to it, a ledger folder of its own."""

import httpx
import hypothesis
import pytest
import pytest_asyncio
import stamina

from sdrs_nb.cloud import connect
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.sandbox import Sandbox
from tests.builders_running import CloudTime

# How long an example takes depends on what else this machine does.  A run of the tests tries the same examples
# every time, so that what passed here passes there; `--hypothesis-profile=search` looks for new ones,
# `quick` tries the first of them.
hypothesis.settings.register_profile(
    "same everywhere", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True
)
hypothesis.settings.register_profile("search", hypothesis.settings.get_profile("same everywhere"), derandomize=False)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("same everywhere"), max_examples=20)
hypothesis.settings.load_profile("same everywhere")


@pytest.fixture(autouse=True)
def no_waiting_and_a_home_of_its_own(tmp_path, monkeypatch):
    """Retries do not wait; no test touches the operator's ledger or credentials, or the next test's language."""
    monkeypatch.setenv("SDRS_NB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "SDRS_NB_LANG", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=3):
        yield
    set_language(None)


@pytest.fixture
def sandbox():
    """A sandbox of 240 servers whose clock stands still until somebody advances it."""
    return Sandbox(servers=240, seed=7, speed=0)


@pytest_asyncio.fixture
async def cloud(sandbox):
    """A cloud connected to the sandbox in this process, signing with its access key."""
    keys = sandbox.credentials
    async with connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        access_key=keys["access_key"],
        secret_key=keys["secret_key"],
        sandbox=True,
        transport=httpx.ASGITransport(sandbox.app),
    ) as connected:
        yield connected


@pytest.fixture
def cloud_time(sandbox):
    """The sandbox's time, moved only by waiting."""
    return CloudTime(sandbox)


@pytest.fixture
def ledger(tmp_path, cloud_time):
    """An empty ledger on the sandbox's time."""
    opened = Ledger(tmp_path / "ledger.db", clock=cloud_time.clock)
    yield opened
    opened.close()
