"""Inventories of sandbox estates with a frame or a column taken away, or ids spelt otherwise: never a yes by mistake.

``python -m tests.mutilations --seeds 20`` takes every frame and every column away from twenty estates, in each way an
inventory can come, and spells every column of ids in four ways; it prints what became plannable that was not.
"""

import argparse
import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pandas as pd

from sdrs_nb import Inventory, check_eligibility, load_inventory, read_inventory
from sdrs_nb.cloud import connect
from sdrs_nb.errors import InventoryError
from sdrs_nb.models import BatchOptions
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.sandbox import Sandbox
from sdrs_nb.tables import INVENTORY_TABLES

PLANNABLE = ("eligible", "warning")
#: Profiles and options, so that rules which only some sites or requests ask are asked too.
QUESTIONS = {
    "default": ("huaweicloud", {}),
    "otc": ("otc", {}),
    "dedicated": ("huaweicloud-2025", {"tenancy": "dedicated"}),
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "no-break spaces around": lambda text: f"\u00a0{text}\u3000",
    "zero-width space inside": lambda text: f"{text[:9]}\u200b{text[9:]}",
    "without hyphens": lambda text: text.replace("-", "") if len(text) == 36 else text,
}
#: Columns whose ids are of servers or volumes, the only ones in which 32 digits count as a UUID.
HYPHENLESS = frozenset({"server_id", "source_server_id", "target_server_id", "volume_id"})


@dataclass(frozen=True)
class Surprise:
    """A server that became plannable by knowing less, or by another spelling."""

    what: str
    question: str
    server_id: str
    before: str
    after: str


def estate(seed: int, servers: int = 30) -> Inventory:
    """Return the inventory of a sandbox estate, as the cloud's answers give it."""

    async def load() -> Inventory:
        sandbox = Sandbox(servers=servers, seed=seed, speed=0)
        keys = sandbox.credentials
        async with connect(
            endpoint="http://sandbox.test",
            project_id=keys["project_id"],
            access_key=keys["access_key"],
            secret_key=keys["secret_key"],
            transport=httpx.ASGITransport(sandbox.app),
        ) as cloud:
            return await load_inventory(cloud)

    return asyncio.run(load())


def estates(seeds: Iterable[int], servers: int) -> Inventory:
    """Return the estates of several seeds as one inventory: ids differ from seed to seed, so they stay apart."""
    loaded = [estate(seed, servers) for seed in seeds]
    frames = {
        name: pd.concat([each.frame(name) for each in loaded])
        .drop_duplicates(list(INVENTORY_TABLES[name].key))
        .reset_index(drop=True)
        for name in frames_of(loaded[0])
    }
    return Inventory(frames, sources=loaded[0].sources, about=loaded[0].about)


def verdicts(inventory: Inventory, question: str) -> "pd.Series[str]":
    """Return the verdict of every server, by id."""
    profile, options = QUESTIONS[question]
    eligibility = check_eligibility(inventory, options=BatchOptions(**options), rulebook=load_rulebook(profile))
    return eligibility.verdicts.set_index("server_id")["verdict"]


def frames_of(inventory: Inventory) -> dict[str, pd.DataFrame]:
    """Return the loaded frames of an inventory."""
    return {name: inventory.frame(name) for name in INVENTORY_TABLES if inventory.is_loaded(name)}


def mutilated(inventory: Inventory) -> Iterator[tuple[str, Callable[[], Inventory]]]:
    """Yield every frame and every column that can be taken away, and how to get the inventory that is left.

    A column goes in one of three ways by turns: from the frames themselves, from a file, from a frame put in its place.
    """
    frames, sources, about = frames_of(inventory), inventory.sources, inventory.about
    ways = itertools.cycle(
        [
            lambda name, less: Inventory({**frames, name: less}, sources=sources, about=about),
            lambda name, less: read_inventory({**frames, name: less, "sources": sources}),
            inventory.with_frame,
        ]
    )
    for name, frame in frames.items():
        rest = {each: other for each, other in frames.items() if each != name}
        if name != "servers":
            yield f"{name} gone", partial(Inventory, rest, about=about)
            yield f"{name} gone from the file", partial(read_inventory, {**rest, "sources": sources})
        if len(frame):
            for column in frame.columns:
                yield f"{name}.{column} gone", partial(next(ways), name, frame.drop(columns=column))


def respelt(inventory: Inventory) -> Iterator[tuple[str, Callable[[], Inventory]]]:
    """Yield the inventory with one column of ids at a time spelt otherwise."""
    frames = frames_of(inventory)
    for name, frame in frames.items():
        for column in frame.columns:
            if not str(column).endswith(("_id", "_ids")):
                continue
            for spelling, spell in SPELLINGS.items():
                if spelling == "without hyphens" and column not in HYPHENLESS:
                    continue
                changed = frame.assign(**{column: frame[column].map(spell, na_action="ignore")})
                given = {**frames, name: changed}
                yield f"{name}.{column} {spelling}", partial(Inventory, given, inventory.sources, inventory.about)


def surprises(inventory: Inventory, ways: Iterator[tuple[str, Callable[[], Inventory]]]) -> list[Surprise]:
    """Return servers that are plannable only because less is known, or because an id is spelt otherwise.

    The questions are asked by turns.
    """
    before = {question: verdicts(inventory, question) for question in QUESTIONS}
    found = []
    for turn, (what, make) in enumerate(ways):
        question = list(QUESTIONS)[turn % len(QUESTIONS)]
        try:
            after = verdicts(make(), question)
        except InventoryError:  # refused, with a sentence: no verdict at all
            continue
        was = before[question]
        now = after.reindex(was.index)
        wrong = (now.isin(PLANNABLE) & ~was.isin(PLANNABLE)).fillna(value=False)
        found += [Surprise(what, question, each, was[each], now[each]) for each in was.index[wrong]]
    return found


def main() -> int:
    """Try every way on so many estates, and print what became plannable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--servers", type=int, default=20, help="of each estate")
    asked = parser.parse_args()
    inventory = estates(range(asked.seeds), asked.servers)
    wrong = surprises(inventory, mutilated(inventory)) + surprises(inventory, respelt(inventory))
    for surprise in wrong:
        print(surprise)  # noqa: T201 - the report of this script
    tried = sum(1 for ways in (mutilated(inventory), respelt(inventory)) for _way in ways)
    print(f"{len(inventory.servers)} servers, {tried} ways, {len(wrong)} plannable by mistake")  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
