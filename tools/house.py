"""The house in figures: size, functions that are called once, the public face, import circles and ranks.

    python tools/house.py [FOLDER] [--json] [--circles] [--once]

FOLDER is the folder of the package (``sdrs_nb`` of this checkout).  Every import counts, deferred and type-checking
ones too.  A private function counts as called once when its name stands once in all of the package outside of its
``def``; methods count as functions.
"""

import argparse
import ast
import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "sdrs_nb"


def modules(folder: Path) -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its dotted name within the package."""
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


def imports(name: str, tree: ast.Module, known: set[str], package: str = "sdrs_nb") -> set[str]:
    """Return the modules of the package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = name.split(".")[: -node.level]
                base = ".".join([package, *above, *([base] if base else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        for one in names:
            parts = one.split(".")
            if parts[0] == package:
                found.add(_module(parts[1:], known))
    return found - {name, ""}


def _module(parts: list[str], known: set[str]) -> str:
    """Return the module that a dotted name within the package lies in."""
    for size in range(len(parts), 0, -1):
        for candidate in (".".join(parts[:size]), ".".join([*parts[:size], "__init__"])):
            if candidate in known:
                return candidate
    return "__init__" if parts else ""


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or not, the largest first."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for name in graph:
        if name not in index:
            visit(name)
    return sorted(found, key=len, reverse=True)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called_once(trees: dict[str, ast.Module]) -> list[str]:
    """Return the private functions whose name stands once in the package outside of its definition."""
    uses: Counter[str] = Counter()
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                uses[node.id] += 1
            elif isinstance(node, ast.Attribute):
                uses[node.attr] += 1
            elif isinstance(node, ast.ImportFrom):
                uses.update(alias.name for alias in node.names)
        for function in functions(tree):
            if function.name.startswith("_") and not function.name.startswith("__"):
                homes[function.name].append(module)
    return sorted(f"{places[0]}.{name}" for name, places in homes.items() if len(places) == 1 and uses[name] == 1)


def figures(folder: Path) -> dict[str, object]:
    """Return every figure of the package in ``folder``."""
    trees = modules(folder)
    graph = {name: imports(name, tree, set(trees)) for name, tree in trees.items()}
    lines = {
        ".".join(path.relative_to(folder).with_suffix("").parts): len(path.read_text(encoding="utf-8").splitlines())
        for path in folder.rglob("*.py")
    }
    sizes = sorted(
        (function.end_lineno or 0) - function.lineno + 1 for tree in trees.values() for function in functions(tree)
    )
    total = sum(lines.values())
    homes = next(
        ast.literal_eval(node.value)
        for node in trees["__init__"].body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOMES"
    )
    exported = sum(len(names.split()) for names in homes.values())
    once = called_once(trees)
    loops = circles(graph)
    return {
        "modules": len(trees),
        "modules at the root": sum("." not in name for name in trees) - 1,
        "lines": total,
        "functions": len(sizes),
        "functions a thousand lines": round(1000 * len(sizes) / total, 1),
        "private functions called once": len(once),
        "called once a thousand lines": round(1000 * len(once) / total, 1),
        "function, median": statistics.median(sizes),
        "function, 95th percentile": sizes[int(len(sizes) * 0.95)],
        "longest function": sizes[-1],
        "longest module": max(lines, key=lines.__getitem__) + f", {max(lines.values())}",
        "exports": exported,
        "import circles": [len(loop) for loop in loops],
    }


def main() -> int:
    """Run from the command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--circles", action="store_true", help="name the modules of each circle")
    parser.add_argument("--once", action="store_true", help="name the functions that are called once")
    given = parser.parse_args()
    trees = modules(given.folder)
    found = figures(given.folder)
    if given.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        sys.stdout.write("".join(f"{name:32} {value}\n" for name, value in found.items()))
    if given.circles:
        graph = {name: imports(name, tree, set(trees)) for name, tree in trees.items()}
        for loop in circles(graph):
            for name in loop:
                sys.stdout.write(f"  {name}: {', '.join(sorted(graph[name] & set(loop)))}\n")
    if given.once:
        sys.stdout.write("\n".join(called_once(trees)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
