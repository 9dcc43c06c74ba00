"""A run that waits for the gateway's limit says so, with its end, on every face."""

import io
from datetime import timedelta

import httpx
import pytest

import sdrs_nb
from sdrs_nb.cloud.budget import BudgetBook
from sdrs_nb.cloud.pace import Budgeted
from sdrs_nb.running.progress import ProgressLines
from sdrs_nb.widgets.event_log import event_frame
from sdrs_nb.widgets.run_facts import run_facts
from tests.builders_running import faults

pytest_plugins = ["tests.running_fixtures"]

LIMIT = {
    "error_code": "APIGW.0308",
    "error_msg": "The throttling threshold has been reached: policy user over ratelimit,limit:20,time:1 minute",
}


class Held:
    """What is called while calls wait, by the clock of the run; then the clock runs on."""

    def __init__(self, cloud_time):
        self.cloud_time = cloud_time
        self.seen = lambda: None

    def seconds(self):
        """What the clock shows."""
        return self.cloud_time.now.timestamp()

    async def sleep(self, seconds):
        """Look, then wait."""
        self.seen()
        self.cloud_time.now += timedelta(seconds=seconds)


@pytest.fixture
def held(cloud_time):
    """Nothing is looked at yet."""
    return Held(cloud_time)


@pytest.fixture
async def cloud(sandbox, tmp_path, held):
    """The sandbox behind a gateway whose budget is learnt, on the clock of the run."""
    book = BudgetBook(tmp_path / "calls.db", held.seconds)
    keys = {name: sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
    async with sdrs_nb.connect(
        endpoint="http://sandbox.test",
        sandbox=True,
        transport=httpx.ASGITransport(sandbox.app),
        pace=Budgeted(8, "p", book, held.sleep),
        **keys,
    ) as connected:
        yield connected
    book.close()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_face_says_until_when_a_run_waits(sandbox, cloud, held, plan, ledger, cloud_time, language):
    """The line of progress, the panel's figures, the page, the message: each while it waits, none afterwards."""
    sdrs_nb.set_language(language)
    await faults(sandbox, {"match": "GET /v1/*/jobs/*", "kind": "status", "status": 429, "body": LIMIT})
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    written, seen = io.StringIO(), []
    lines = ProgressLines(written)

    def look():
        if wait := run.waiting:
            lines(run)
            seen.append((str(wait), run.message, run_facts(run, run.state), run._repr_html_()))

    held.seen = look

    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    said = seen[0][0]
    assert said.startswith("waiting until " if language == "en" else "因网关限额等待至 ")
    assert all(said in face.replace("&#39;", "'") for face in seen[0])
    assert written.getvalue().splitlines()[0] == said
    log = event_frame(run.events)
    assert said in log["about"].tolist()
    assert run.waiting is None
    assert run.message == ""


async def test_the_load_of_an_inventory_says_it_too(sandbox, cloud):
    """``on_wait`` of load_inventory and coverage gets the wait and its end; a line of progress is made of it."""
    await faults(sandbox, {"match": "GET /v2/*/cloudvolumes/detail*", "kind": "status", "status": 429, "body": LIMIT})
    written, told = io.StringIO(), []
    lines = ProgressLines(written)

    def on_wait(wait):
        told.append(wait)
        lines(wait)

    await sdrs_nb.load_inventory(cloud, on_wait=on_wait)
    await sdrs_nb.coverage(cloud, on_wait=on_wait)

    assert told[0].calls == 20
    assert told[-1] is None
    assert written.getvalue().splitlines()[0] == str(told[0])
