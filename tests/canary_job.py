"""The whole job with failures in it, at level DEBUG, and everything that it shows written down for the search.

Started as a process in a folder of its own by ``tests.canaries``: a JSON object on its standard input holds the
``arguments`` of ``connect``, the ``endpoint`` of the cloud and whether the way ``works``.  What could be seen in a
notebook, a debugger or a pickle goes to files below ``seen``.
"""

import asyncio
import copy
import dataclasses
import json
import logging
import pickle
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pandas as pd
import stamina
from ipywidgets import Widget
from ipywidgets.embed import embed_data
from pydantic import BaseModel

import sdrs_nb
from sdrs_nb.settings.secret import Secret

SEEN = Path("seen")
CREATE = "POST /v1/*/protected-instances/batch"
FAULTS = [
    {"match": "GET /v1/*/cloudservers/detail", "kind": "expire_token", "times": 1, "after": 1},
    {"match": CREATE, "kind": "status", "status": 400, "times": 1,
     "body": {"error": {"code": "SDRS.1316", "message": "refused"}}},
    {"match": CREATE, "kind": "lost_answer", "times": 1, "after": 1},
    {"match": CREATE, "kind": "fail_subjob", "times": 1, "after": 2, "code": "Ecs.0018"},
    {"match": "GET /v1/*/jobs/*", "kind": "status", "status": 500, "times": 2},
    {"match": "GET /v1/*/jobs/*", "kind": "expire_token", "times": 1, "after": 3},
    {"match": "GET /v1/*/jobs/*", "kind": "status", "status": 401, "times": 1, "after": 6},
    {"match": "GET /v1/*/jobs/*", "kind": "garbage", "times": 1, "after": 8},
]  # fmt: skip
#: Calls that fail outright, one kind of trouble a call.
TROUBLES: dict[str, list[dict[str, Any]]] = {
    "401": [{"kind": "status", "status": 401, "times": 9}],
    "403": [{"kind": "status", "status": 403, "times": 9}],
    "500": [{"kind": "status", "status": 500, "times": 9}],
    "429": [{"kind": "throttle", "times": 9}],
    "garbage": [{"kind": "garbage", "times": 9}],
    "no answer": [{"kind": "lost_answer", "times": 9}],
    "reset": [{"kind": "reset", "times": 9}],
    "slow": [{"kind": "slow", "seconds": 3, "times": 9}],
}


def write(name: str, text: str) -> None:
    """Keep what could be seen."""
    SEEN.mkdir(exist_ok=True)
    with (SEEN / name).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text + "\n")


def own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from where it enters the package: above are frames of the caller, whose secrets they are."""
    while trace is not None and "/tests/" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return trace


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that led to it, hidden or not."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            yield one
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def keep_error(stage: str, error: BaseException) -> None:
    """Write an error down as every tool would show it: plain, with all variables, in IPython's verbose mode."""
    from IPython.core.ultratb import VerboseTB

    for one in chain(error):
        trace = own(one.__traceback__)
        whole = traceback.TracebackException(type(one), one, trace, capture_locals=True)
        write("tracebacks.txt", f"== {stage}\n{''.join(whole.format())}")
        write("verbose.txt", VerboseTB(theme_name="nocolor").text(type(one), one.with_traceback(trace), trace))
        write("errors.txt", f"{stage}: {one!r} {one} {one.args!r} {vars(one)!r} {getattr(one, '__notes__', '')}")
        if hasattr(one, "errors") and callable(one.errors):
            write("errors.txt", repr(one.errors()))
        keep_pickle(one.with_traceback(None))


@contextmanager
def keeping(stage: str) -> Iterator[None]:
    """Keep the error of a stage, if there is one, and go on."""
    try:
        yield
    except (Exception, SystemExit) as error:  # noqa: BLE001 - every error is a finding's place
        keep_error(stage, error)
        write("stages.txt", f"{stage}: {type(error).__name__}")
    else:
        write("stages.txt", f"{stage}: done")


def keep_pickle(thing: object) -> None:
    """Keep what pickle and copy make of it, where they make anything."""
    for make in (pickle.dumps, copy.copy):
        try:
            made = make(thing)
        except Exception as error:  # noqa: BLE001 - most objects cannot be pickled
            write("pickles.txt", f"{type(thing).__name__}: {error}")
        else:
            SEEN.mkdir(exist_ok=True)
            with (SEEN / "pickles.bin").open("ab") as file:
                file.write(made if isinstance(made, bytes) else repr(made).encode(errors="backslashreplace"))


def looked_into(thing: object, seen: set[int], depth: int = 0) -> Iterator[str]:
    """Yield the text forms of an object and of what hangs on it, as far as it is the package's or a container."""
    if id(thing) in seen or depth > 12 or isinstance(thing, Secret):
        return
    seen.add(id(thing))
    yield f"{type(thing).__name__} {thing!r} {thing!s}"
    if isinstance(thing, pd.DataFrame):
        yield str(thing.to_json(orient="records", default_handler=str))
        return
    if isinstance(thing, BaseModel):
        yield f"{thing.model_dump()!r} {thing.model_dump_json()} {thing.model_dump(mode='json')!r} {dict(thing)!r}"
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        names = [each.name for each in dataclasses.fields(thing)]
        inner: list[object] = [getattr(thing, name, None) for name in names]
    elif isinstance(thing, Mapping):
        inner = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inner = list(thing)
    elif type(thing).__module__.startswith("sdrs_nb"):
        inner = [*getattr(thing, "__dict__", {}).values()]
        inner += [getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ()) if name != "__weakref__"]
    else:
        return
    for each in inner:
        yield from looked_into(each, seen, depth + 1)


def keep(name: str, thing: object) -> None:
    """Write an object down: its text forms and its pickle."""
    for text in looked_into(thing, set()):
        write("objects.txt", f"{name}: {text}")
    html = getattr(thing, "_repr_html_", None)
    if html is not None:
        write("objects.html", str(html()))
    keep_pickle(thing)


def keep_widgets(name: str) -> None:
    """Write down what a saved notebook would hold of the widgets, and what the front end was sent."""
    for widget in list(Widget._instances.values() if hasattr(Widget, "_instances") else Widget.widgets.values()):
        write(f"widgets-{name}.txt", repr(widget.get_state()))
        write(f"widgets-{name}.json", json.dumps(widget.get_state(), default=repr))
    write(f"widgets-{name}.json", json.dumps(embed_data(views=None, drop_defaults=False), default=repr))


class Cloudside:
    """The control routes of the cloud."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def post(self, path: str, document: object) -> None:
        """Post a document to one."""
        httpx.post(f"{self._endpoint}/{path}", json=document, trust_env=False, timeout=60).raise_for_status()

    def faults(self, faults: list[dict[str, Any]]) -> None:
        """Let it misbehave."""
        self.post("_sandbox/faults", faults)

    def echo(self, match: str, times: int) -> None:
        """Let the gateway repeat requests."""
        self.post("_canary/echo", {"match": match, "times": times})


async def troubles(cloud: sdrs_nb.Cloud, side: Cloudside, names: list[str]) -> None:
    """Meet these kinds of trouble in one call, then a gateway that repeats what it was sent."""
    for name in names:
        side.faults([{"match": "GET /v1/*/server-groups", **fault} for fault in TROUBLES[name]])
        with keeping(f"trouble {name}"):
            await cloud.sdrs.groups()
    side.faults([])
    side.echo("/server-groups", 9)
    with keeping("echo"):
        await cloud.sdrs.groups()
    side.echo("", 0)


async def first_calls(arguments: dict[str, Any], side: Cloudside) -> None:
    """Meet trouble in the calls that prove the credentials."""
    for name in ("401", "500", "garbage", "no answer"):
        for path in ("* /v3/auth/tokens", "GET /v3/projects", "GET /v3.0/*"):
            side.faults([{"match": path, **fault} for fault in TROUBLES[name]])
            with keeping(f"first call {path} {name}"):
                async with sdrs_nb.connect(**arguments) as cloud:
                    await cloud.check()
    side.faults([])
    for path in ("/v3/auth/tokens", "/v3/projects", "/v3.0/"):
        side.echo(path, 9)
        with keeping(f"first call {path} echo"):
            async with sdrs_nb.connect(**arguments) as cloud:
                await cloud.check()
    side.echo("", 0)


async def whole_job(cloud: sdrs_nb.Cloud, side: Cloudside) -> None:
    """Load to undo, with failures."""
    side.faults(FAULTS)
    inventory = await sdrs_nb.load_inventory(cloud)
    eligibility = sdrs_nb.check_eligibility(inventory)
    plan = sdrs_nb.plan_batches(eligibility, name_prefix="canary")
    plan.save(Path("plan.json"))
    sdrs_nb.save_approval(sdrs_nb.approve(plan, "li"), Path("approval.json"))
    inventory.to_excel(Path("estate.xlsx"))
    sdrs_nb.write_csv(eligibility.findings, Path("findings.csv"))
    sdrs_nb.write_json_lines(eligibility.verdicts, Path("verdicts.jsonl"))
    with keeping("submit unapproved"):
        await sdrs_nb.submit(cloud, plan, approve="nobody")
    run = await sdrs_nb.submit(cloud, plan, approve=sdrs_nb.load_approval(Path("approval.json")))
    for stage in (sdrs_nb.follow, sdrs_nb.resume):
        with keeping(stage.__name__):
            await stage(cloud, run)
    side.faults([])
    with keeping("verify"):
        outcome = await sdrs_nb.verify(cloud, run)
        keep("summary", sdrs_nb.summarize(eligibility, plan, outcome))
    sdrs_nb.report(run, Path("report/report.html"))
    with keeping("require complete"):
        sdrs_nb.require_complete(run.servers)
    undo = sdrs_nb.plan_undo(run, await sdrs_nb.load_inventory(cloud))
    undo.save(Path("undo.json"))
    with keeping("coverage"):
        keep("coverage", await sdrs_nb.coverage(cloud))
    write("counts.json", json.dumps(run.counts))
    for name, thing in {"inventory": inventory, "eligibility": eligibility, "plan": plan, "run": run, "undo": undo,
                        "troubles": run.troubles, "estimate": plan.estimate(inventory)}.items():  # fmt: skip
        keep(name, thing)
    for name in ("attempts", "jobs", "events", "servers", "batches"):
        keep(name, getattr(run, name))


def panels(cloud: sdrs_nb.Cloud | None) -> None:
    """Click what connects, and keep what the widgets hold; without a cloud the panel looks for credentials itself."""
    from sdrs_nb.widgets.writing import writer

    bench = sdrs_nb.Workbench(cloud)
    panel = bench.panels[0]
    panel._connect.click()
    deadline = time.monotonic() + 20
    while not panel._is_free and time.monotonic() < deadline:
        time.sleep(0.05)
        writer().flush()
    writer().flush()
    keep_widgets("bench")
    keep("workbench state", bench.state)


async def job(given: dict[str, Any]) -> None:
    """Do everything with one way in."""
    arguments, side = given["arguments"], Cloudside(given["endpoint"])
    cloud = None
    with keeping("connect"):
        cloud = sdrs_nb.connect(**arguments)
    if cloud is None:
        with keeping("panels"):
            panels(None)
        return
    keep("cloud", cloud)
    keep("settings", cloud.settings)
    with keeping("check"):
        keep("identity", await cloud.check())
    if given["works"]:
        with keeping("whole job"):
            await whole_job(cloud, side)
        await troubles(cloud, side, ["401"] if given["is_quick"] else [*TROUBLES])
        if not given["is_quick"]:
            await first_calls(arguments, side)
    else:
        with keeping("load"):
            await sdrs_nb.load_inventory(cloud)
    keep("cloud", cloud)
    with keeping("panels"):
        panels(cloud if arguments else None)
    await cloud.close()
    with keeping("closed"):
        await cloud.sdrs.groups()


def main() -> None:
    """Read what is given, do the job."""
    given = json.load(sys.stdin)
    logging.basicConfig(
        level=logging.DEBUG, handlers=[logging.FileHandler("debug.log", encoding="utf-8"), logging.StreamHandler()]
    )
    with stamina.set_testing(True, attempts=2):
        asyncio.run(job(given))


if __name__ == "__main__":
    main()
