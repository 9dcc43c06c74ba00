"""Let secrets in by every way there is, do the whole job with failures, and look for them in all that is left.

    python -m tests.canaries [--only WORD] [--quick] [--seed 1] [--keep FOLDER]

Each way has a cloud, a folder, a home and secrets of its own.  Then: the job in Python (``tests.canary_job``), the
command line, notebooks; and the search (``tests.canary_search``) in every file, what was printed, the command lines of
all processes, the sandbox's kept state and request log, and what went over the wire outside the headers that carry it.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nbformat
import yaml

from tests.canary_search import CommandLines, Hit, Search, keys_of

ROOT = Path(__file__).parent.parent
_LIMIT_S = 300
SERVERS, SPEED = 40, 3600
#: The families of variables: prefix, and the names of what a cloud's credentials are in it.
PAIR, LOGIN, BEARER = ("access_key", "secret_key"), ("user", "password"), ("token",)
FAMILIES = {
    "SDRS_NB": {name: f"SDRS_NB_{name.upper()}" for name in (*PAIR, *LOGIN, *BEARER, "domain", "security_token")},
    "HUAWEICLOUD_SDK": {"access_key": "HUAWEICLOUD_SDK_AK", "secret_key": "HUAWEICLOUD_SDK_SK",
                        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN"},
    "HW": {"access_key": "HW_ACCESS_KEY", "secret_key": "HW_SECRET_KEY", "security_token": "HW_SECURITY_TOKEN",
           "user": "HW_USER_NAME", "password": "HW_USER_PASSWORD", "domain": "HW_DOMAIN_NAME",
           "token": "HW_AUTH_TOKEN"},
    "OS": {"access_key": "OS_ACCESS_KEY", "secret_key": "OS_SECRET_KEY", "security_token": "OS_SECURITY_TOKEN",
           "user": "OS_USERNAME", "password": "OS_PASSWORD", "domain": "OS_USER_DOMAIN_NAME", "token": "OS_TOKEN"},
}  # fmt: skip


@dataclass
class Way:
    """One way in: what ``connect`` is given, what stands in the environment and in files."""

    arguments: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    works: bool = True
    #: Whether the settings name the sandbox as the one endpoint; else the way says where to go.
    at_sandbox: bool = True


Facts = Mapping[str, str]


def picked(facts: Facts, names: Iterator[str] | tuple[str, ...]) -> dict[str, str]:
    """Return credentials by name."""
    return {name: facts[name] for name in names}


def _arguments(*names: str, **changed: str) -> Callable[[Facts], Way]:
    return lambda facts: Way({**picked(facts, names), **changed}, works=not changed)


def _family(family: str, *names: str) -> Callable[[Facts], Way]:
    return lambda facts: Way(environ={FAMILIES[family][name]: facts[name] for name in names})


def _clouds_yaml(names: tuple[str, ...], *, apart: bool = False) -> Callable[[Facts], Way]:
    theirs = {"access_key": "ak", "secret_key": "sk", "user": "username", "domain": "user_domain_name"}

    def made(facts: Facts) -> Way:
        auth = {theirs.get(name, name): facts[name] for name in names}
        document = yaml.safe_dump({"clouds": {"mine": {"auth": auth}}})
        if not apart:
            return Way(files={"work/clouds.yaml": document})
        public = yaml.safe_dump({"clouds": {"mine": {"region_name": facts["region"]}}})
        return Way(files={"work/clouds.yaml": public, "work/secure.yaml": document})

    return made


def _credentials_file(section: str, *names: str) -> Callable[[Facts], Way]:
    theirs = {"access_key": "ak", "secret_key": "sk"}

    def made(facts: Facts) -> Way:
        lines = [f"[{section}]", *(f"{theirs.get(name, name)} = {facts[name]}" for name in names)]
        environ = {} if section == "basic" else {"SDRS_NB_PROFILE": section}
        return Way(environ=environ, files={"user/.huaweicloud/credentials": "\n".join(lines) + "\n"})

    return made


def _misplaced(place: str, secret: str, *, by: str = "argument") -> Callable[[Facts], Way]:
    """Paste a secret where something else belongs; the credentials themselves are right."""

    def made(facts: Facts) -> Way:
        environ = {f"SDRS_NB_{name.upper()}": facts[name] for name in PAIR}
        if by == "argument":
            return Way({place: facts[secret]}, environ, works=False)
        return Way(environ={**environ, by: facts[secret]}, works=False)

    return made


def _malformed(
    name: str, sign: str, others: tuple[str, ...], *, in_environment: bool = False
) -> Callable[[Facts], Way]:
    def made(facts: Facts) -> Way:
        given = {**picked(facts, others), name: facts[name][:14] + sign + facts[name][14:]}
        if in_environment:
            return Way(environ={f"SDRS_NB_{key.upper()}": value for key, value in given.items()}, works=False)
        return Way(given, works=False)

    return made


WAYS: dict[str, Callable[[Facts], Way]] = {
    "argument token": _arguments(*BEARER),
    "arguments access key": _arguments(*PAIR),
    "arguments temporary keys": _arguments(*PAIR, "security_token"),
    "arguments password": _arguments(*LOGIN, "domain"),
    "arguments refused token": lambda facts: Way({"token": facts["other_token"]}, works=False),
    "arguments refused secret key": lambda facts: Way(
        {"access_key": facts["access_key"], "secret_key": facts["other_secret_key"]}, works=False
    ),
    "arguments refused access key": lambda facts: Way(
        {"access_key": facts["other_access_key"], "secret_key": facts["secret_key"],
         "security_token": facts["security_token"]}, works=False,
    ),
    "arguments refused password": lambda facts: Way(
        {**picked(facts, ("user", "domain")), "password": facts["other_password"]}, works=False
    ),
    "arguments half a pair": lambda facts: Way({"secret_key": facts["secret_key"]}, works=False),
    **{
        f"{family}_* {kind}": _family(family, *names)
        for family, known in FAMILIES.items()
        for kind, names in {"keys": PAIR, "temporary keys": (*PAIR, "security_token"),
                            "password": (*LOGIN, "domain"), "token": BEARER}.items()
        if set(names) <= set(known)
    },
    "all families at once": lambda facts: Way(
        environ={
            theirs: facts[name if family == "SDRS_NB" or name not in facts["others"] else f"other_{name}"]
            for family, names in FAMILIES.items()
            for name, theirs in names.items()
            if name != "token" or family != "SDRS_NB"
        }
    ),
    "clouds.yaml keys": _clouds_yaml(PAIR),
    "clouds.yaml password": _clouds_yaml((*LOGIN, "domain")),
    "clouds.yaml token": _clouds_yaml(BEARER),
    "secure.yaml password": _clouds_yaml((*LOGIN, "domain"), apart=True),
    "secure.yaml keys": _clouds_yaml((*PAIR, "security_token"), apart=True),
    "broken clouds.yaml": lambda facts: Way(
        files={"work/clouds.yaml": f"clouds:\n  mine: {{auth: [{facts['secret_key']}\n {facts['password']}"},
        works=False,
    ),
    "clouds.yaml with a secret as profile": lambda facts: Way(
        files={"work/clouds.yaml": yaml.safe_dump({"clouds": {"mine": {
            "profile": facts["other_secret_key"],
            "auth": {"ak": facts["access_key"], "sk": facts["secret_key"]}}}})}
    ),
    "credentials file": _credentials_file("basic", *PAIR),
    "credentials file temporary keys": _credentials_file("basic", *PAIR, "security_token"),
    "credentials file profile": _credentials_file("second", *PAIR),
    "broken credentials file": lambda facts: Way(
        files={"user/.huaweicloud/credentials": f"{facts['access_key']}\n{facts['secret_key']}\n"}, works=False
    ),
    "credentials file without a section end": lambda facts: Way(
        files={"user/.huaweicloud/credentials": f"[basic]\nak = {facts['access_key']}\n{facts['secret_key']}\n"},
        works=False,
    ),
    "endpoint with a user": lambda facts: Way(
        {**picked(facts, PAIR), "endpoint": f"https://u:{facts['other_secret_key']}@{facts['host']}"}, works=False
    ),
    "SDRS_NB_ENDPOINT with a user": lambda facts: Way(
        environ={**_family("SDRS_NB", *PAIR)(facts).environ,
                 "SDRS_NB_ENDPOINT": f"https://{facts['other_access_key']}:{facts['other_secret_key']}@h:1/x"},
        works=False, at_sandbox=False,
    ),
    "endpoints with a user": lambda facts: Way(
        {**picked(facts, PAIR), "endpoints": {"ecs": f"https://u:{facts['other_secret_key']}@{facts['host']}"}},
        works=False,
    ),
    "OS_AUTH_URL with a user": lambda facts: Way(
        {"endpoints": dict.fromkeys(
            ("ecs", "evs", "vpc", "kps", "deh", "dss", "autoscaling", "eps", "sdrs"), f"http://{facts['host']}"
        )},
        {**_family("OS", *LOGIN, "domain")(facts).environ, "OS_REGION_NAME": facts["region"],
         "OS_AUTH_URL": f"http://u:{facts['other_secret_key']}@{facts['host']}/v3",
         "OS_PROJECT_ID": facts["project_id"]},
        # Only where one endpoint is named is a sandbox's word on its time believed: a whole job would take hours.
        works=False, at_sandbox=False,
    ),
    **{
        f"{name} with a user": lambda facts, name=name, scheme=scheme, rest=rest: Way(
            environ={**_family("SDRS_NB", *PAIR)(facts).environ, "SDRS_NB_REGION": "r-1",
                     "SDRS_NB_PROJECT_ID": facts["project_id"],
                     name: f"{scheme}://{facts['other_access_key']}:{facts['other_secret_key']}@"
                           f"{rest or facts['host']}"},
            works=False, at_sandbox=False,
        )
        for name, scheme, rest in (("HTTPS_PROXY", "http", ""), ("ALL_PROXY", "http", ""),
                                   ("https_proxy", "socks5", "h:1"), ("all_proxy", "http", "h:99999"))
    },
    "OS_AUTH_URL that is none": lambda facts: Way(
        environ={**_family("OS", *LOGIN, "domain")(facts).environ, "OS_REGION_NAME": "r-1",
                 "OS_AUTH_URL": f"https://u:{facts['other_secret_key']}@h\u2100st/v3"},
        works=False, at_sandbox=False,
    ),
    "HTTPS_PROXY that is none": lambda facts: Way(
        environ={**_family("SDRS_NB", *PAIR)(facts).environ, "SDRS_NB_REGION": "r-1",
                 "SDRS_NB_PROJECT_ID": facts["project_id"],
                 "HTTPS_PROXY": f"http://u:{facts['other_secret_key']}@h\u2100st"},
        works=False, at_sandbox=False,
    ),
    "token with a line break": _malformed("token", "\n", ()),
    "token with a control character": _malformed("token", "\x1b", (), in_environment=True),
    "secret key with a carriage return": _malformed("secret_key", "\r\n", ("access_key",), in_environment=True),
    "secret key beyond ASCII": _malformed("secret_key", "密", ("access_key",)),
    "access key with NUL": _malformed("access_key", "\0", ("secret_key",)),
    "access key with a blank": _malformed("access_key", " ", ("secret_key",), in_environment=True),
    "security token with a separator": _malformed("security_token", "\u2028", PAIR),
    "password with a line break": _malformed("password", "\n", ("user", "domain"), in_environment=True),
    "password with half a pair": _malformed("password", "\ud800", ("user", "domain")),
    **{
        f"{secret} as {place}": _misplaced(place, secret)
        for place, secret in (
            ("region", "other_secret_key"), ("region", "other_access_key"), ("project_id", "other_secret_key"),
            ("project_id", "other_access_key"), ("project_id", "other_token"), ("cloud_host", "other_secret_key"),
            ("profile", "other_secret_key"), ("profile", "other_password"), ("language", "other_secret_key"),
            ("timeout", "other_secret_key"), ("attempts", "other_password"), ("page_size", "other_token"),
            ("endpoint", "other_token"), ("endpoint", "other_password"), ("ca_file", "other_secret_key"),
            ("ca_file", "other_password"), ("sandbox", "other_secret_key"), ("domain", "other_secret_key"),
            ("project_name", "other_secret_key"), ("user", "other_access_key"), ("domain_id", "other_access_key"),
            ("times_offset_h", "other_secret_key"), ("endpoints", "other_secret_key"),
        )
    },
    **{
        f"{secret} in {place}": _misplaced("", secret, by=place)
        for place, secret in (
            ("SDRS_NB_REGION", "other_secret_key"), ("SDRS_NB_PROJECT_ID", "other_access_key"),
            ("SDRS_NB_TIMEOUT_S", "other_secret_key"), ("SDRS_NB_LANGUAGE", "other_token"),
            ("SDRS_NB_PROFILE", "other_password"), ("SDRS_NB_CA_FILE", "other_secret_key"),
            ("SDRS_NB_CLOUD_HOST", "other_secret_key"), ("SDRS_NB_ATTEMPTS", "other_secret_key"),
            ("SDRS_NB_SANDBOX", "other_secret_key"), ("SSL_CERT_FILE", "other_secret_key"), ("OS_CLOUD", "other_token"),
            ("HTTPS_PROXY", "other_secret_key"), ("SDRS_NB_LANG", "other_secret_key"),
        )
    },
}  # fmt: skip
SAMPLE = ("all families at once",)


class CanaryCloud:
    """The cloud of one way, as a process, and what it knows at the end."""

    def __init__(self, keys: Mapping[str, str], state: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.canary_cloud"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        told = {**keys, "servers": SERVERS, "speed": SPEED, "state": str(state)}
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        self.facts: dict[str, str] = json.loads(self._process.stdout.readline())

    def get(self, path: str) -> Any:
        """Read one of its control routes."""
        return httpx.get(f"{self.facts['endpoint']}/{path}", timeout=60, trust_env=False).raise_for_status().json()

    def post(self, path: str, document: object) -> None:
        """Post to one."""
        url = f"{self.facts['endpoint']}/{path}"
        httpx.post(url, json=document, timeout=60, trust_env=False).raise_for_status()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(20)


class Trial:
    """One way, tried.

    Parameters
    ----------
    name
        Of the way.
    folder
        Empty; everything is written below it.
    seed
        Of its secrets.
    is_quick
        Whether to leave out what other parts show too.
    """

    def __init__(self, name: str, folder: Path, seed: int, *, is_quick: bool) -> None:
        self.folder, self._is_quick = folder, is_quick
        draw = random.Random(f"{seed}/{name}")
        self._keys, others = keys_of(draw), keys_of(draw)
        self._secrets = {**self._keys, **{f"other_{key}": value for key, value in others.items()}}
        for part in ("work", "user", "home", "state"):
            (folder / part).mkdir()
        self._cloud = CanaryCloud(self._keys, folder / "state")
        facts = self._cloud.facts
        known = {**facts, **self._secrets, "host": facts["endpoint"].partition("//")[2], "others": " ".join(others)}
        self.way = WAYS[name](known)
        self._given = [folder / path for path in self.way.files]
        for path, content in self.way.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        self._environment = self._surroundings(facts)
        self._printed: dict[str, str] = {}
        self._logs: list[Any] = []

    def _surroundings(self, facts: Facts) -> dict[str, str]:
        unwanted = ("SDRS_NB_", "HUAWEICLOUD_", "HW_", "OS_", "HTTP", "http", "ALL_PROXY", "all_proxy", "NO_PROXY")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        here = {"HOME": str(self.folder / "user"), "SDRS_NB_HOME": str(self.folder / "home"), "PYTHONPATH": str(ROOT),
                "SDRS_NB_ATTEMPTS": "2", "SDRS_NB_TIMEOUT_S": "2", "SDRS_NB_CONNECT_TIMEOUT_S": "2",
                "PYTHONWARNINGS": "ignore", "IPYTHONDIR": str(self.folder / "user" / "ipython")}  # fmt: skip
        if self.way.at_sandbox:
            here |= {"SDRS_NB_ENDPOINT": facts["endpoint"], "SDRS_NB_REGION": facts["region"],
                     "SDRS_NB_PROJECT_ID": facts["project_id"], "SDRS_NB_SANDBOX": "1"}  # fmt: skip
        return {**plain, **here, **self.way.environ}

    def run(self, *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run a Python module in the way's folder and keep what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", *command], input=said, env=self._environment, cwd=self.folder / "work", text=True,
            capture_output=True, timeout=_LIMIT_S, check=False, encoding="utf-8", errors="backslashreplace",
        )  # fmt: skip
        name = " ".join(command)
        self._printed[f"stdout of {name}"] = self._printed.get(f"stdout of {name}", "") + done.stdout
        self._printed[f"stderr of {name}"] = self._printed.get(f"stderr of {name}", "") + done.stderr
        return done

    def job(self) -> None:
        """Do the job in Python."""
        given = {"arguments": self.way.arguments, "endpoint": self._cloud.facts["endpoint"],
                 "works": self.way.works, "is_quick": self._is_quick}  # fmt: skip
        done = self.run("tests.canary_job", said=json.dumps(given))
        assert done.returncode == 0, done.stderr[-3000:]
        stages = (self.folder / "work" / "seen" / "stages.txt").read_text(encoding="utf-8").splitlines()
        assert ("whole job: done" in stages) == self.way.works, stages

    def shell(self) -> None:
        """Do it on the command line, a refused create and a failed sub-job on the way."""

        def sdrs_nb(*words: str) -> subprocess.CompletedProcess[str]:
            return self.run("sdrs_nb.cli", *words)

        if not self.way.works:
            for words in (("check", "--json"), ("plan",)):
                sdrs_nb(*words)
            return
        self._reset()
        planned = sdrs_nb("plan", "--name-prefix", "shell", "--json")
        fingerprint = json.loads(planned.stdout)["fingerprint"]
        create = {"match": "POST /v1/*/protected-instances/batch"}
        self._cloud.post("_sandbox/faults", [{**create, "kind": "status", "status": 400},
                                             {**create, "kind": "fail_subjob", "code": "Ecs.0018"}])  # fmt: skip
        sdrs_nb("submit", "plan.json", "--approve", fingerprint, "--json")
        if not self._is_quick:
            run_id = json.loads(sdrs_nb("runs", "--json").stdout)[0]["run_id"]
            for words in (("submit", "plan.json", "--approve", "nothing"), ("check",), ("verify", run_id),
                          ("report", run_id, "shell/report.html"), ("undo", run_id), ("runs",)):  # fmt: skip
                sdrs_nb(*words)
        self._cloud.post("_canary/echo", {"match": "/cloudservers", "times": 99})
        sdrs_nb("check")
        self._cloud.post("_canary/echo", {"match": "", "times": 0})

    def notebooks(self) -> None:
        """Run a runbook, and a notebook whose tracebacks show variables and whose widgets are saved."""
        if self.way.works:
            self._reset()
            # Nobody approved the plan: the executed notebook shows the error.
            self.run("sdrs_nb.cli", "runbook", "run", "20_protect_servers", "-p", "name_prefix", "book")
        cells = [
            "%xmode Verbose\nimport logging\nlogging.basicConfig(level=logging.DEBUG)\nimport sdrs_nb",
            "cloud = sdrs_nb.connect()\ncloud",
            "cloud.settings",
            "await cloud.check()",
            "await cloud.sdrs.groups()",
            "bench = sdrs_nb.Workbench(); bench.panels[0]._connect.click()\nbench",
            "import asyncio; await asyncio.sleep(1)",
        ]
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        nbformat.write(book, self.folder / "work" / "verbose.ipynb")
        self._cloud.post("_canary/echo", {"match": "/server-groups", "times": 99})
        done = self.run("tests.canary_notebook", "verbose.ipynb")
        assert done.returncode == 0, done.stderr[-3000:]
        self._cloud.post("_canary/echo", {"match": "", "times": 0})

    def hits(self, lines: CommandLines) -> tuple[set[Hit], dict[str, int]]:
        """Return what is found in everything, and how much was looked at."""
        secrets = {**self._secrets, **{f"token issued {n}": text for n, text in enumerate(self._issued())}}
        search = Search(secrets)
        found = search.in_folder(self.folder, but=self._given)
        for where, text in self._printed.items():
            found |= search.in_text(where.partition(" ")[0], text)
        for line in lines.seen:
            found |= search.in_text("command line", line)
        found |= search.in_text("wire", "\n".join(self._wire()))
        self._logs += self._cloud.get("_sandbox/requests")
        found |= search.in_text("request log", json.dumps(self._logs, ensure_ascii=False))
        return found, search.looked_at

    def _issued(self) -> list[str]:
        found: list[str] = self._cloud.get("_canary/tokens")
        return list(dict.fromkeys(found))

    def _wire(self) -> list[str]:
        """Return the wire without the one path that holds an access key by the cloud's own design."""
        told: list[str] = self._cloud.get("_canary/wire")
        return [line for line in told if not line.startswith("/v3.0/OS-CREDENTIAL/credentials/")]

    def _reset(self) -> None:
        """Take the cloud back to its start, which forgets its request log."""
        self._logs += self._cloud.get("_sandbox/requests")
        self._cloud.post("_sandbox/reset", {})

    def close(self) -> None:
        """End its cloud."""
        self._cloud.close()


def number_of(name: str) -> int:
    """Return the place of a way in the list."""
    return list(WAYS).index(name)


@contextmanager
def watched(lines: CommandLines) -> Iterator[None]:
    """Look at all command lines meanwhile."""
    ended = threading.Event()
    watcher = threading.Thread(target=lines.until, args=(ended.wait,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def attempt(name: str, folder: Path, seed: int = 1, *, is_quick: bool = False) -> tuple[set[Hit], dict[str, int]]:
    """Try one way with everything and return what was found and how much was looked at."""
    lines = CommandLines()
    trial = Trial(name, folder, seed, is_quick=is_quick)
    with contextlib.closing(trial):
        with watched(lines):
            trial.job()
            if not set(trial.way.arguments) & {"access_key", "token", "user", "secret_key"}:
                trial.shell()
                if not is_quick and (trial.way.works or number_of(name) % 4 == 0):
                    trial.notebooks()
        return trial.hits(lines)


def main() -> int:
    """Try every way, print the hits and the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.canaries", description=__doc__)
    parser.add_argument("--only", default="", help="ways whose name holds this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="leave out what other parts show too")
    parser.add_argument("--keep", type=Path, help="folder for what was written")
    given = parser.parse_args()
    begun, total, tried, looked_at = time.monotonic(), 0, 0, Counter[str]()
    with tempfile.TemporaryDirectory() as scratch:
        for number, name in enumerate(each for each in WAYS if given.only in each):
            folder = (given.keep or Path(scratch)) / f"{number:02}"
            folder.mkdir(parents=True)
            found, seen = attempt(name, folder, given.seed, is_quick=given.quick)
            looked_at.update(seen)
            total, tried = total + len(found), tried + 1
            sys.stderr.write(f"{time.monotonic() - begun:5.0f} s  {len(found):3} hits  {name}\n")
            for hit in sorted(found, key=repr):
                sys.stderr.write(f"          {hit.secret} in {hit.where} ({hit.form})\n")
    figures = {"ways": tried, "hits": total, "bytes": dict(looked_at), "seconds": round(time.monotonic() - begun)}
    sys.stdout.write(json.dumps(figures) + "\n")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
