"""Both opinions on random estates, side by side."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from sdrs_nb import Inventory, check_eligibility, load_rulebook
from sdrs_nb.inventory.inventory import About
from sdrs_nb.models import BatchOptions
from sdrs_nb.tables import INVENTORY_TABLES
from tests.random_estates import RandomEstate, random_estate
from tests.second_opinion import Opinion, verdicts

#: Whether the suite's sample holds columns that were not read.
UNREAD_COLUMNS = True
#: Every rule that blocks a server by itself, and must do so often enough in a long comparison.
BLOCKING_RULES = frozenset(
    [f"S{number}" for number in (*range(1, 19), 20, 22, 33, 34)]
    + [f"D{number}" for number in (1, 2, 3, 4, 6, 7, 10, 13)]
    + [f"H{number}" for number in (3, 4, 5, 6, 8, 9, 10, 11, 12, 15)]
    + ["G2", "G4", "G5", "G14", "P1", "P3", "P4", "P6", "P7", "P10", "P11"]
)

#: Every rule of which the second opinion tells warnings; G9, P5, P7, P12, P14 and P15 are sums
#: over a plan, G12 and Q1-Q9 speak of runs and requests, what is left only tells notices (N).
WARNING_RULES = frozenset(
    [f"S{number}" for number in (3, 8, 14, 15, 16, 17, 18, 21, 23, 25, 31, 32)]
    + ["D3", "D4", "D7", "D8", "D9", "H13", "P2", "P3", "P8", "G3", "G10", "G11"]
)
#: A rule among what G14 tells: the reasons of each group that fits.
REASONS = re.compile(r"\b[A-Z][0-9]{1,2}\b")


@dataclass(frozen=True)
class Disagreement:
    """One server on which the two opinions differ."""

    estate: RandomEstate
    server_id: str
    second: Opinion
    package: Opinion

    @property
    def kind(self) -> str:
        """Both verdicts, and the rules that only one of them blocks by; by what the two differ, when neither does."""
        ours, theirs = _compared(self.second, self.package)
        rules = [
            f"only second {sorted(one - other)}, only package {sorted(other - one)}"
            for one, other in (
                (ours.blocking, theirs.blocking),
                (ours.warning or frozenset(), theirs.warning or frozenset()),
            )
        ]
        if ours.verdict != theirs.verdict and ours.blocking == theirs.blocking:
            unsure, warned = sorted(self.second.unknown), sorted(self.second.warning or ())
            return f"{ours.verdict} / {theirs.verdict}: second undecided {unsure}, warned by {warned}"
        return f"{ours.verdict} / {theirs.verdict}: blocks: {rules[0]}; warns: {rules[1]}"

    def __str__(self) -> str:
        one, other = (
            f"{verdict}, blocked by {sorted(blocking)}, undecided {sorted(unknown)}, warned by {sorted(warning or ())}"
            for verdict, blocking, unknown, warning in (self.second, self.package)
        )
        made_with = "".join(f", {name}={value!r}" for name, value in self.estate.made_with.items())
        return (
            f"{self.server_id} of random_estate({self.estate.seed}{made_with}), {self.estate.profile}, oddities "
            f"{self.estate.oddities}\n    second opinion: {one}\n    package: {other}"
        )


@dataclass
class Tally:
    """How often each verdict was given, each rule blocked or warned, and every disagreement."""

    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)

    def add(self, estate: RandomEstate) -> None:
        """Ask both of one estate."""
        for second, disagreement in compare(estate):
            self.count(second)
            if disagreement:
                self.disagreements.append(disagreement)

    def count(self, opinion: Opinion) -> None:
        """Count a verdict and the rules that fired."""
        self.verdicts[opinion.verdict] += 1
        self.rules.update(opinion.blocking)
        self.warnings.update(opinion.warning or ())

    def rare(self, times: int = 20) -> dict[str, int]:
        """Return the rules that blocked (``S8 B``) or warned (``S8 W``) less often than that."""
        each = [(f"{rule} B", self.rules[rule]) for rule in BLOCKING_RULES]
        each += [(f"{rule} W", self.warnings[rule]) for rule in WARNING_RULES]
        return {name: times_fired for name, times_fired in sorted(each) if times_fired < times}

    def table(self) -> list[str]:
        """Return how often each rule blocked and warned, a line a rule."""
        rules = sorted({*BLOCKING_RULES, *WARNING_RULES, *self.rules}, key=lambda rule: (rule[0], int(rule[1:])))
        return ["rule  blocked  warned", *(f"{r:4}  {self.rules[r]:7}  {self.warnings[r]:6}" for r in rules)]


def inventory_of(estate: RandomEstate) -> Inventory:
    """Return the estate as the package reads it: a column that was not read is not there."""
    frames = {}
    for name, rows in estate.frames.items():
        unread = estate.unread.get(name, ())
        columns = [column for column in INVENTORY_TABLES[name].columns if column not in unread]
        cells = [{column: row.get(column) for column in columns} for row in rows]
        frames[name] = pd.DataFrame(cells, columns=columns, dtype=object)
    sources = [
        {"frame": name, "state": state, "unread": ",".join(sorted(estate.unread.get(name, ()))) or None}
        for name, state in estate.states.items()
    ]
    return Inventory(frames, pd.DataFrame(sources), About(caller_user_id=estate.caller_user_id))


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
    findings, said = eligibility.by_server(), eligibility.verdicts
    columns = (findings[name] for name in ("server_id", "severity", "rule", "evidence"))
    for server_id, severity, rule, evidence in zip(*columns, strict=True):
        reasons = REASONS.findall(evidence) if rule == "G14" and severity == "blocker" else ()
        rules.setdefault((server_id, severity), set()).update({rule, *reasons})
    return {
        server_id: Opinion(
            verdict, *(frozenset(rules.get((server_id, name), ())) for name in ("blocker", "unverified", "warning"))
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
        estate.partial,
    )


def compare(estate: RandomEstate) -> Iterator[tuple[Opinion, Disagreement | None]]:
    """Yield, for every server asked about, the second opinion and the disagreement if there is one."""
    package = of_package(estate)
    for server_id, second in of_second(estate).items():
        other = package[server_id]
        ours, theirs = _compared(second, other)
        yield second, Disagreement(estate, server_id, second, other) if ours != theirs else None


def _compared(second: Opinion, package: Opinion) -> tuple[Opinion, Opinion]:
    """Return both opinions as far as the facts determine them: verdict, rules that block, rules that warn.

    What else is wrong with a server that is no candidate nobody asks.  G14 tells the reasons that each group has
    against a server or one of its cluster, so where they are told G14 may be left out, and H4, which speaks of the
    cluster's reasons too.  Which rules are undecided beside them follows from verdicts.
    """
    compared = []
    for verdict, blocking, _unknown, warning in (second, package):
        told = blocking & {"S4", "S5", "S6"} if verdict in {"protected", "not a candidate"} else blocking
        told = told - {"G14", "H4"} if "G14" in second.blocking else told
        warns = verdict in {"eligible", "warning"} and second.warning is not None
        warned = (warning or frozenset()) & WARNING_RULES if warns else None
        compared.append(Opinion(verdict, told, frozenset(), warned))
    return compared[0], compared[1]


def tally(
    wanted: int,
    *,
    first_seed: int = 0,
    servers: tuple[int, int] = (1, 12),
    unread_columns: bool = UNREAD_COLUMNS,
) -> Tally:
    """Compare estates from ``first_seed`` on, of so many servers, until ``wanted`` verdicts were given."""
    found = Tally()
    seed = first_seed
    while found.verdicts.total() < wanted:
        found.add(random_estate(seed, servers=servers, unread_columns=unread_columns))
        seed += 1
    return found


def smallest(disagreement: Disagreement) -> Disagreement:
    """Return a disagreement on the same server with no more oddities than it takes."""
    places = [int(name.split(":")[0]) for name in disagreement.estate.oddities]
    for place in list(places):
        fewer = [other for other in places if other != place]
        estate = random_estate(disagreement.estate.seed, **disagreement.estate.made_with | {"only": fewer})
        again = {found.server_id: found for _second, found in compare(estate) if found}
        if same := again.get(disagreement.server_id):
            places, disagreement = fewer, same
    return disagreement


def main(argv: list[str] | None = None) -> int:
    """Print balance, every disagreement and, of each kind, the smallest example; return 1 when they disagree."""
    parser = argparse.ArgumentParser(prog="python -m tests.second_opinion", description=__doc__)
    parser.add_argument("--verdicts", type=int, default=20_000, help="how many to give at least")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--servers", type=int, nargs=2, default=(1, 12), help="least and most servers of an estate")
    parser.add_argument("--unread-columns", action="store_true", help="leave columns unread as well as frames")
    asked = parser.parse_args(argv)
    found = tally(
        asked.verdicts,
        first_seed=asked.first_seed,
        servers=tuple(asked.servers),
        unread_columns=asked.unread_columns,
    )
    total, differing = found.verdicts.total(), len(found.disagreements)
    lines = [
        f"{total} verdicts: {total - differing} agree, {differing} do not",
        *(f"{verdict}: {count} ({count / total:.1%})" for verdict, count in found.verdicts.most_common()),
        *found.table(),
        f"fired less than 20 times: {found.rare() or 'none'}",
        *(str(one) for one in found.disagreements),
    ]
    kinds: dict[str, list[Disagreement]] = {}
    for one in found.disagreements:
        kinds.setdefault(one.kind, []).append(one)
    for kind, those in sorted(kinds.items(), key=lambda item: -len(item[1])):
        simplest = min(those, key=lambda one: len(one.estate.oddities))
        lines += [f"{len(those)} x {kind}, for example", f"  {smallest(simplest)}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found.disagreements else 0
