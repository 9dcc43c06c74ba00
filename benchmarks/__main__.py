"""Run every case: ours and its baseline in turns, each a process of its own, and print the ratios.

    python -m benchmarks [--quick] [--json FILE] [CASE ...]

A case is a pair of self-contained scripts that take the same arguments and print one JSON line with ``seconds`` (the
work alone, without start-up) and ``peak_mib``.  A baseline may be replaced: --baseline CASE=SCRIPT.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES, Case

HERE = Path(__file__).parent
Figures = dict[str, float]
Pair = tuple[Figures, Figures | None]


def measure(script: Path, arguments: list[str]) -> dict[str, float]:
    """Run one script and return the figures of its last line."""
    done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{script.name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def in_turns(case: Case, baseline: Path, size: int, rounds: int) -> list[Pair]:
    """Measure ours and the baseline in turns, all in one world."""
    with case.world(size) as arguments:
        return [
            (measure(HERE / case.ours, arguments), measure(baseline, arguments) if case.baseline else None)
            for _ in range(rounds)
        ]


def once(case: Case, baseline: Path, size: int) -> list[Pair]:
    """Measure ours and the baseline once each, in equal worlds of their own."""
    with case.world(size) as arguments:
        ours = measure(HERE / case.ours, arguments)
    if not case.baseline:
        return [(ours, None)]
    with case.world(size) as arguments:
        return [(ours, measure(baseline, arguments))]


def compare(case: Case, baseline: Path, rounds: int, *, quick: bool) -> list[dict[str, object]]:
    """Measure a case at each of its sizes, ours and the baseline in turns."""
    rows: list[dict[str, object]] = []
    for size in case.quick_sizes if quick else case.sizes:
        pairs = once(case, baseline, size) if case.is_fresh else in_turns(case, baseline, size, rounds)
        ours = statistics.median(one["seconds"] for one, _ in pairs)
        theirs = statistics.median(one["seconds"] for _, one in pairs if one) if case.baseline else None
        rows.append(
            {
                "case": case.name,
                "size": size,
                "ours_s": round(ours, 3),
                "baseline_s": round(theirs, 3) if theirs else None,
                "ratio": round(ours / theirs, 2) if theirs else None,
                "target": case.target,
                "peak_mib": round(max(one["peak_mib"] for one, _ in pairs)),
                **{name: value for name, value in pairs[0][0].items() if name not in ("seconds", "peak_mib")},
            }
        )
    return rows


def main() -> int:
    """Parse, run, print a table, and say where a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", help="only these cases")
    parser.add_argument("--quick", action="store_true", help="small sizes, under five minutes")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--baseline", action="append", default=[], metavar="CASE=SCRIPT", help="replace a baseline")
    parser.add_argument("--rounds", type=int, default=0, help="runs of each script (3; 1 when quick)")
    given = parser.parse_args()
    replaced = dict(text.split("=", 1) for text in given.baseline)
    rows: list[dict[str, object]] = []
    heads = ("case", "size", "ours_s", "baseline_s", "ratio", "target", "peak_mib")
    print("  ".join(f"{head:>22}" if head == "case" else f"{head:>12}" for head in heads))
    for case in CASES:
        if given.cases and case.name not in given.cases:
            continue
        baseline = Path(replaced.get(case.name, HERE / case.baseline))
        for row in compare(case, baseline, given.rounds or (1 if given.quick else 3), quick=given.quick):
            print("  ".join(f"{row[h]!s:>22}" if h == "case" else f"{row[h]!s:>12}" for h in heads), flush=True)
            further = [f"{name}: {value}" for name, value in row.items() if name not in heads]
            if further:
                print(" " * 24 + ", ".join(further), flush=True)
            rows.append(row)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
