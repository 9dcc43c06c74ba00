"""Both opinions on random estates, side by side."""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sdrs_nb import Inventory, check_eligibility, load_rulebook
from sdrs_nb.inventory.inventory import About
from sdrs_nb.models import BatchOptions
from sdrs_nb.tables import INVENTORY_TABLES
from tests.random_estates import RandomEstate, random_estate
from tests.second_opinion import Opinion, verdicts

#: Whether the suite's sample holds columns that were not read.
UNREAD_COLUMNS = False


@dataclass(frozen=True)
class Disagreement:
    """One server on which the two opinions differ."""

    seed: int
    server_id: str
    second: Opinion
    package: Opinion
    oddities: tuple[str, ...]

    def __str__(self) -> str:
        sides = [f"{verdict} {sorted(blocking)} unknown {sorted(unknown)}" for verdict, blocking, unknown in (self.second, self.package)]
        return f"seed {self.seed} {self.server_id}: second opinion {sides[0]}; package {sides[1]}; {', '.join(self.oddities)}"


def inventory_of(estate: RandomEstate) -> Inventory:
    """Return the estate as the package reads it: a column that was not read is not there."""
    frames = {}
    for name, rows in estate.frames.items():
        columns = [column for column in INVENTORY_TABLES[name].columns if column not in estate.unread.get(name, ())]
        frames[name] = pd.DataFrame([{column: row.get(column) for column in columns} for row in rows], columns=columns, dtype=object)
    sources = pd.DataFrame(
        [
            {"frame": name, "state": estate.states[name], "unread": ",".join(sorted(estate.unread.get(name, ()))) or None}
            for name in estate.frames
        ]
    )
    return Inventory(frames, sources, About(caller_user_id=estate.caller_user_id))


def of_package(estate: RandomEstate) -> dict[str, Opinion]:
    """Return what the package says."""
    eligibility = check_eligibility(
        inventory_of(estate),
        options=BatchOptions(**estate.options, batch_limit=estate.batch_limit),
        group_id=estate.group_id,
        server_ids=estate.selected,
        rulebook=load_rulebook(estate.profile),
    )
    rules: dict[tuple[str, str], set[str]] = {}
    findings = eligibility.findings
    for server_id, severity, rule in zip(findings["server_id"], findings["severity"], findings["rule"], strict=True):
        rules.setdefault((server_id, severity), set()).add(rule)
    said = eligibility.verdicts
    return {
        server_id: (
            verdict,
            frozenset(rules.get((server_id, "blocker"), ())),
            frozenset(rules.get((server_id, "unverified"), ())),
        )
        for server_id, verdict in zip(said["server_id"], said["verdict"], strict=True)
    }


def of_second(estate: RandomEstate) -> dict[str, Opinion]:
    """Return what the second opinion says."""
    return verdicts(
        estate.frames,
        estate.unread,
        estate.loaded,
        BatchOptions(**estate.options, batch_limit=estate.batch_limit),
        estate.profile,
        estate.batch_limit,
        estate.group_id,
        estate.selected,
        estate.caller_user_id,
    )


def compare(estate: RandomEstate) -> Iterator[tuple[Opinion, Disagreement | None]]:
    """Yield, for every server asked about, the second opinion and the disagreement if there is one."""
    package = of_package(estate)
    for server_id, second in of_second(estate).items():
        same = _comparable(second) == _comparable(package[server_id])
        yield second, None if same else Disagreement(
            estate.seed, server_id, second, package[server_id], tuple(estate.oddities)
        )


def _comparable(opinion: Opinion) -> tuple[str, frozenset[str]]:
    """Return verdict and blocking rules; what else is wrong with a server that is no candidate nobody asks."""
    verdict, blocking, _unknown = opinion
    return verdict, blocking & {"S4", "S5", "S6"} if verdict in {"protected", "not a candidate"} else blocking


@dataclass
class Tally:
    """How often each verdict was given and each rule blocked, and every disagreement."""

    verdicts: Counter[str]
    rules: Counter[str]
    disagreements: list[Disagreement]


def tally(wanted: int, *, first_seed: int = 0, unread_columns: bool = UNREAD_COLUMNS) -> Tally:
    """Compare estates from ``first_seed`` on until ``wanted`` verdicts were given."""
    found = Tally(Counter(), Counter(), [])
    seed = first_seed
    while found.verdicts.total() < wanted:
        for second, disagreement in compare(random_estate(seed, unread_columns=unread_columns)):
            found.verdicts[second[0]] += 1
            found.rules.update(second[1])
            if disagreement:
                found.disagreements.append(disagreement)
        seed += 1
    return found


def smallest(disagreement: Disagreement, *, unread_columns: bool) -> Disagreement:
    """Return the same kind of disagreement with as few oddities as still show it."""
    places = [int(name.split(":")[0]) for name in disagreement.oddities]
    best = disagreement
    for place in list(places):
        fewer = [other for other in places if other != place]
        estate = random_estate(disagreement.seed, unread_columns=unread_columns, only=fewer)
        again = [found for _second, found in compare(estate) if found]
        if again:
            places, best = fewer, next((found for found in again if found.server_id == best.server_id), again[0])
    return best


def main(argv: list[str] | None = None) -> int:
    """Print agreements and every disagreement; return 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.second_opinion", description=__doc__)
    parser.add_argument("--verdicts", type=int, default=20_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--unread-columns", action="store_true")
    asked = parser.parse_args(argv)
    found = tally(asked.verdicts, first_seed=asked.first_seed, unread_columns=asked.unread_columns)
    total = found.verdicts.total()
    say: Any = print  # noqa: T202 - a script that reports
    say(f"{total} verdicts, {total - len(found.disagreements)} agree, {len(found.disagreements)} do not")
    say("verdicts:", dict(found.verdicts.most_common()))
    say("blocking rules:", dict(sorted(found.rules.items())))
    for disagreement in found.disagreements:
        say(smallest(disagreement, unread_columns=asked.unread_columns))
    return 1 if found.disagreements else 0
