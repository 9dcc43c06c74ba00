import asyncio
import threading

import ipywidgets
import pytest

from sdrs_nb import loop
from sdrs_nb.errors import SettingsError
from sdrs_nb.widgets.background import Background


@pytest.fixture
def background():
    """The tasks of one panel, stopped at the end."""
    made = Background()
    yield made
    made.stop_all()


async def give(value):
    """Work that ends well."""
    return value


async def fail(error):
    """Work that does not."""
    raise error


async def test_a_task_runs_on_the_private_loop(background):
    """A started task hands its result to whoever waits, and to ``done``."""
    results = []

    background.start("load", give("inventory"), done=results.append)

    assert await background.wait("load") == "inventory"
    assert results == ["inventory"]
    assert not background.is_running("load")


async def test_a_failure_is_shown_escaped(background):
    """What ends a task stands in the panel as text, and goes to ``failed``."""
    heard = []
    background.start("load", fail(SettingsError("Server <script>db</script> is gone.")), failed=heard.append)

    with pytest.raises(SettingsError):
        await background.wait("load")

    assert "Server &lt;script&gt;db&lt;/script&gt; is gone." in background.errors.value
    assert [str(error) for error in heard] == ["Server <script>db</script> is gone."]


async def test_an_unforeseen_failure_says_so(background):
    """An error that is none of ours is named by its kind, so that it can be reported."""
    background.start("load", fail(ZeroDivisionError("by <b>")))

    with pytest.raises(ZeroDivisionError):
        await background.wait("load")

    assert "Something unforeseen stopped this step: ZeroDivisionError: by &lt;b&gt;" in background.errors.value


async def test_starting_again_takes_the_failure_away(background):
    """A failure stays on the screen until its task is started again."""
    background.start("load", fail(SettingsError("no")))
    with pytest.raises(SettingsError):
        await background.wait("load")

    background.start("load", give(1))
    await background.wait("load")

    assert background.errors.value == ""


async def test_a_failing_handler_is_shown_too(background):
    """An error in what is done with a result is no quieter than one in the task."""
    background.start("load", give(0), done=lambda number: 1 / number)

    with pytest.raises(ZeroDivisionError):
        await background.wait("load")

    assert "ZeroDivisionError" in background.errors.value


async def test_a_task_can_be_stopped(background):
    """A stopped task is cancelled and may clean up; nothing is shown as a failure."""
    started, cleaned = threading.Event(), threading.Event()

    async def long_work():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    background.start("follow", long_work())
    await asyncio.to_thread(started.wait, 60)
    background.stop("follow")

    assert await asyncio.to_thread(cleaned.wait, 60)
    assert not background.is_running("follow")
    assert background.errors.value == ""


async def test_stopping_the_waiting_cell_leaves_the_task(background):
    """Interrupting a cell that waits does not cancel what it waits for."""
    release = asyncio.Event()
    background.start("follow", release.wait())
    waiting = asyncio.ensure_future(background.wait("follow"))
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert background.is_running("follow")
    loop.private_loop().call_soon_threadsafe(release.set)
    assert await background.wait("follow") is True


async def test_posted_values_are_there_when_waiting_ends(background):
    """However many values a task posts, the last one is on the widget once the wait is over."""
    bar = ipywidgets.IntProgress(max=2000)

    async def work():
        for value in range(1, 2001):
            background.post(bar, value=value)

    background.start("follow", work())
    await background.wait("follow")

    assert bar.value == 2000


async def test_state_is_sent_again_from_the_waiting_cell(background, monkeypatch):
    """A cell that waits sends every posted widget's state, for nbclient keeps only what a cell itself sent."""
    label, sent = ipywidgets.Label(), []
    monkeypatch.setattr(ipywidgets.Label, "send_state", lambda widget, key=None: sent.append((widget, key)))
    background.post(label, value="17 of 240 sent")

    background.flush()

    assert (label, None) in sent
