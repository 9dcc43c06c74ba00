"""A process that dies anywhere around the pilot: comparison and word survive, and nothing is sent before both."""

import asyncio
import os

import pytest

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Pace
from sdrs_nb.running.runs import open_run
from tests.crash import SETTLE_S, Death, Worlds, after_write_of, keys_of, newest

#: Deaths of those who carry the pilot, in turn: in flight, answered, followed, ended, compared, right before the end.
ON_THE_WAY = (Death("run"), Death("intent"), Death("answer"), Death("look"), Death("batch state"), Death("pilot"),
              Death("run state"), Death("run state", nth=2))  # fmt: skip


async def carry_on(facts, plan, ledger, word):
    """Submit the plan with a pilot or resume its run, after giving the word where one is to be given."""
    async with sdrs_nb.connect(**keys_of(facts)) as cloud:
        run = await sdrs_nb.find_run(cloud, plan, ledger=ledger)
        if run is None:
            run = await sdrs_nb.submit(
                cloud, plan, approve=plan.fingerprint, ledger=ledger, pilot="b002", pace=Pace(settle_s=SETTLE_S)
            )
        elif word:
            run.go_on(word)
        await sdrs_nb.resume(cloud, run)


def child(facts, home, plan_path, death, word=""):
    """Carry the run on until ``death``."""
    os.environ["SDRS_NB_HOME"] = str(home)
    ledger = Ledger(after_write=after_write_of(death) if death else None)
    asyncio.run(carry_on(facts, sdrs_nb.Plan.load(plan_path), ledger, word))


@pytest.mark.slow
def test_deaths_around_the_pilot_send_nothing_before_the_word(tmp_path):
    """Eight deaths on the way to the comparison, two after the word: one batch before it, each server created once."""
    worlds = Worlds(batches=3, speed=900, folder=tmp_path)
    home = tmp_path / "home"
    try:
        killed = []
        for death in (*ON_THE_WAY, None, None):
            killed.append(worlds.run_process(child, worlds.facts, home, worlds.plan_path, death))
            made = {server for server, n in worlds.control("GET", "world")["creations"].items() if n}
            assert made <= set(worlds.plan.batch("b002").server_ids), death
        ledger = Ledger(home / "ledger.db")
        run = open_run(newest(ledger), ledger)
        assert sum(killed) >= len(ON_THE_WAY) - 1
        assert (run.state, run.pilot.state) == ("paused", "compared")
        assert run.pilot.is_as_expected
        for death in (Death("pilot"), Death("answer"), None):
            worlds.run_process(child, worlds.facts, home, worlds.plan_path, death, "seen")
        assert (run.pilot.state, run.pilot.reason, run.state) == ("released", "seen", "done")
        creations = worlds.control("GET", "world")["creations"]
        assert {server: n for server, n in creations.items() if n} == {
            server: 1 for batch in worlds.plan.batches for server in batch.server_ids
        }
    finally:
        worlds.sandbox.stop()
