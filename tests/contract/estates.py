"""Random estates, planned by our rules and really sent to the sandbox: ``python -m tests.contract.estates --all``.

Whatever eligibility calls ``eligible`` or ``warning`` and the planner puts into a batch, the sandbox must accept, and
its job must succeed.  Exceptions are named, and count only where their rule fired as a warning beforehand.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import sdrs_nb
from sdrs_nb.errors import CloudError, PlanError
from sdrs_nb.models import Batch, BatchOptions, Call
from sdrs_nb.payloads.requests import payload_bytes
from sdrs_nb.planning.planning import Plan
from sdrs_nb.rulebook import PROFILES, Rulebook, load_rulebook
from sdrs_nb.sandbox import Settings
from sdrs_nb.sandbox.estate import ERP, LAB, ORPHAN, SHOP, SWITCHED, WEB
from sdrs_nb.sandbox.records import Server
from tests.contract.stage import Stage
from tests.contract.twists import TWISTS

ESTATES = 300
SIZES = (5, 40)
#: Share of an estate's servers that nothing is done to; acceptance must reach 30 % in every estate.
SOUND, ACCEPTED = 0.4, 0.3
#: Rules that warn and do not block because what they fear is our reading; what may happen all the same, and why.
ASSUMED = {
    "P5": ("Ecs.0012", "which subnet a DR server's address comes from is not documented"),
    "P14": ("Ecs.0001", "whether DR servers count against the ECS quota is not documented"),
    "P15": ("SDRS.1812", "whether DR volumes count against the EVS quota is not documented"),
    "S23": ("SDRS.1306", "only a FAQ says that a user's own key pair serves nobody else"),
    "P7": ("SDRS.1374", "how a dedicated host counts its room for DR servers is not documented"),
    "P8": ("SDRS.1306", "how the system chooses a dedicated host is not documented"),
}


@dataclass
class Outcome:
    """What became of one estate."""

    seed: int
    profile: str
    servers: int
    protected: int = 0
    surprises: list[tuple[Any, ...]] = field(default_factory=list)
    excused: Counter[str] = field(default_factory=Counter)

    @property
    def is_enough(self) -> bool:
        """Whether at least 30 % of the servers were acceptable, those counted whose job failed for lack of room."""
        return self.protected + self.excused.total() >= ACCEPTED * self.servers


def build(seed: int) -> Stage:
    """Return the estate of a seed: sound servers first, then twisted ones, then shared volumes and tight limits."""
    draw = random.Random(seed)
    stage = Stage(Settings.for_profile(PROFILES[seed % len(PROFILES)]), seed)
    stage.estate.scaling = {}
    size = draw.randint(*SIZES)
    sound = -int(-SOUND * size // 1)
    sites = (ERP, ERP, ERP, WEB, SWITCHED, SHOP)
    for _server in range(sound):
        stage.server(draw.choice(sites), data_disks=draw.choice((0, 1, 2)))
    rest = [_twisted(stage, draw) for _server in range(size - sound)]
    for _cluster in range(draw.choice((0, 1, 2))):
        if len(rest) > 1:
            stage.estate.share(draw.sample(rest, min(len(rest), draw.choice((2, 2, 3, 5, 6)))))
    _tighten(stage, draw)
    stage.world.touch()
    return stage


def _twisted(stage: Stage, draw: random.Random) -> Server:
    server = stage.server(draw.choice((ERP, ERP, WEB, SWITCHED, SHOP, LAB, ORPHAN)), data_disks=draw.choice((0, 1)))
    for twist in draw.sample(TWISTS, draw.choice((0, 1, 1, 1, 2))):
        twist(stage, server, draw)
    return server


def _tighten(stage: Stage, draw: random.Random) -> None:
    """Leave, now and then, just enough room for the sound servers, so that sums and warnings of capacity matter."""
    world = stage.world
    if draw.random() < 0.2:
        world.max_pairs = len(world.pairs) + len(world.volumes) * 2 // 3
    if draw.random() < 0.1:
        world.max_servers = len(world.servers) + len(world.servers) * 2 // 3
    if draw.random() < 0.1:
        world.max_volumes = len(world.volumes) + len(world.volumes) * 2 // 3
    if draw.random() < 0.1:
        for subnet in world.subnets.values():
            subnet.used = subnet.total - len(world.servers) // 3


def wanted(stage: Stage, draw: random.Random) -> BatchOptions:
    """Return options that requests of this estate share, most often none."""
    if draw.random() < 0.6 or stage.sandbox.service.settings.profile == "otc":
        return BatchOptions(batch_limit=draw.choice((1, 3, 5)))
    some = (
        {"tenancy": "dedicated"},
        {"tenancy": "dedicated", "dedicated_host_id": stage.host("deh-a-c7")},
        {"cluster_id": stage.pool("dss-a-sas")},
        {"primary_subnet_id": stage.estate.subnet_ids["erp"][0]},
        {"tags": {"env": "prod"}, "description": "random estate"},
    )
    return BatchOptions(**draw.choice(some))  # type: ignore[arg-type]


async def judge(seed: int) -> Outcome:
    """Build the estate of a seed, plan it by our rules, send every batch and follow its job."""
    stage, draw = build(seed), random.Random(f"{seed}/options")
    profile = PROFILES[seed % len(PROFILES)]
    outcome = Outcome(seed, profile, len(stage.world.servers))
    async with stage.cloud() as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)
        eligibility, plan = _planned(inventory, load_rulebook(profile), wanted(stage, draw))
        _note_forgotten(eligibility, plan, outcome)
        for batch in plan.batches:
            await _send(cloud, stage, batch, eligibility, outcome)
    return outcome


def _planned(inventory: sdrs_nb.Inventory, book: Rulebook, options: BatchOptions) -> tuple[sdrs_nb.Eligibility, Plan]:
    """Judge and plan with these options, or with none where too few servers suit them."""
    choice = _choices(sdrs_nb.check_eligibility(inventory, rulebook=book))
    for asked in (options, BatchOptions()):
        eligibility = sdrs_nb.check_eligibility(inventory, options=asked, rulebook=book, group_choice=choice)
        try:
            plan = sdrs_nb.plan_batches(eligibility, name_prefix="random")
        except PlanError:
            continue
        if len(plan.servers) >= ACCEPTED * len(inventory.servers):
            break
    return eligibility, plan


def _choices(eligibility: sdrs_nb.Eligibility) -> dict[str, str]:
    """Choose the first of several groups."""
    chosen = eligibility.candidates.groupby("server_id")["group_id"].agg(["min", "size"])
    several = chosen[chosen["size"] > 1]
    return dict(zip(several.index, several["min"], strict=True))


def _note_forgotten(eligibility: sdrs_nb.Eligibility, plan: Plan, outcome: Outcome) -> None:
    """Every good server is in a batch, or left out for a reason that only planning can know."""
    left = plan.left_out
    good = left[left["verdict"].isin(["eligible", "warning"]) & ~left["rules"].isin(["G9", "H15"])]
    outcome.surprises += [("left out", row.server_id, row.reason) for row in good.itertuples()]
    if not len(eligibility.verdicts):
        outcome.surprises.append(("nothing judged",))


async def _send(
    cloud: sdrs_nb.Cloud, stage: Stage, batch: Batch, eligibility: sdrs_nb.Eligibility, outcome: Outcome
) -> None:
    alone = batch.call is Call.SINGLE_CREATE
    send = cloud.sdrs.create_protected_instance if alone else cloud.sdrs.batch_create
    try:
        job_id = await send(payload_bytes(batch))
    except CloudError as error:
        _weigh(eligibility, batch.server_ids, error.code, outcome)
        return
    stage.sandbox.advance(600)
    job = await cloud.sdrs.job(job_id)
    parts = [job] if alone else job["entities"]["sub_jobs"]
    for server_id, part in zip(batch.server_ids, parts, strict=True):
        if part["status"] == "SUCCESS":
            outcome.protected += 1
        else:
            _weigh(eligibility, (server_id,), part["error_code"], outcome)


def _weigh(eligibility: sdrs_nb.Eligibility, server_ids: tuple[str, ...], code: str | None, outcome: Outcome) -> None:
    """Note a refusal or failure as excused by an assumed rule that warned of it, else as a surprise."""
    found = eligibility.by_server()
    mine = found[found["server_id"].isin(server_ids) & found["severity"].isin(["warning", "unverified"])]
    rules = {*mine["rule"], *eligibility.request_findings["rule"]}
    excuse = next((rule for rule, (known, _why) in ASSUMED.items() if rule in rules and known == code), None)
    if excuse:
        outcome.excused[excuse] += 1
    else:
        outcome.surprises.append((outcome.profile, server_ids, code, sorted(rules)))


async def _all(seeds: range) -> int:
    outcomes = []
    for seed in seeds:
        outcomes.append(await judge(seed))
        for surprise in outcomes[-1].surprises:
            sys.stdout.write(f"estate {seed}: {surprise}\n")
        if not outcomes[-1].is_enough:
            sys.stdout.write(f"estate {seed}: {outcomes[-1].protected} of {outcomes[-1].servers} protected\n")
    bad = [one for one in outcomes if one.surprises or not one.is_enough]
    excused = sum((one.excused for one in outcomes), Counter())
    total, protected = sum(one.servers for one in outcomes), sum(one.protected for one in outcomes)
    sys.stdout.write(
        f"{len(outcomes)} estates, {total} servers, {protected} protected, least share "
        f"{min(one.protected / one.servers for one in outcomes):.0%}, excused {dict(excused)}, {len(bad)} bad\n"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help=f"all {ESTATES} estates, not only the first 24")
    parser.add_argument("--seed", type=int, help="one estate")
    given = parser.parse_args()
    chosen = range(given.seed, given.seed + 1) if given.seed is not None else range(ESTATES if given.all else 24)
    sys.exit(asyncio.run(_all(chosen)))
