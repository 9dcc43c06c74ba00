"""Every code of a create request: the rule that sees it coming, alone, and the sandbox that answers with it."""

import json
from pathlib import Path

import pytest

import sdrs_nb
from sdrs_nb.eligibility.rules.request import request_findings
from sdrs_nb.errors import CloudError, NothingEligibleError, PlanError, SettingsError
from sdrs_nb.models import BatchOptions
from sdrs_nb.rulebook import Effect, load_rulebook
from tests.contract.coverage import page
from tests.contract.coverage_cases import CASES, batch_options
from tests.contract.stage import Stage

#: Steps 2 to 8 of sdrs-api.md, section 2, and the three codes that stand beside them.
DOCUMENTED = """
    0201 0202 0212 0207 0228 0227 1371 0218 2203 2205 2204 2208 2207 2209 1362 1361 0210
    1013 1024 1323 1325 1002
    1360 1305 1303 1304 1333 1359 1357 1356 1353 1321 1339 1322 1340 1802 0225 1831 1811 1806
    1408
    1335 1366 1372 1373 1375 1374 1381 1384 1383 1386 1385
    1358 0306
    1306 1812 1350
    1015 1810 1825
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_rule_fires_alone_and_the_sandbox_answers_with_its_code(case):
    """What one rule keeps from being sent is refused with the code that the rule book says it prevents."""
    stage = Stage(case.sandbox_settings)
    ask = case.arrange(stage)
    stage.world.touch()
    async with stage.cloud() as cloud:
        inventory = await sdrs_nb.load_inventory(cloud, resize_for=tuple(ask.options.get("flavors", ())))

        assert_seen(case, ask, stage, inventory)
        assert await answer(case, ask, stage, cloud) == named(case.code)

    codes = codes_of(load_rulebook().rule(case.rule))
    assert named(case.code) in codes or case.code.startswith("Ecs.")


def test_every_documented_code_has_a_case():
    """The table leaves no code of the documents out."""
    assert set(DOCUMENTED.split()) <= {case.code for case in CASES}


def test_the_page_of_coverage_is_up_to_date():
    """The page is generated: python -m tests.contract.coverage > docs/coverage.md."""
    written = Path(__file__).parents[2] / "docs" / "coverage.md"

    assert written.read_text(encoding="utf-8") == page()


def assert_seen(case, ask, stage, inventory):
    """Assert that the case's rule, and no other, keeps the request from being sent."""
    if case.shown == "options":
        with pytest.raises(SettingsError):
            batch_options(ask)
        return
    book = load_rulebook(case.profile, **case.book)
    asked = {"options": batch_options(ask), "server_ids": ask.server_ids, "rulebook": book}
    group_id = (stage.group.id if stage.world.groups else None) if ask.group_id is None else ask.group_id
    if case.shown == "check":
        with pytest.raises(PlanError):
            sdrs_nb.check_eligibility(inventory, group_id=group_id, **asked)
        return
    eligibility = sdrs_nb.check_eligibility(inventory, group_id=group_id, **asked)
    if case.shown == "plan":
        with pytest.raises(NothingEligibleError, match=case.rule):
            sdrs_nb.plan_batches(eligibility, name_prefix=ask.name_prefix)
    found = fired(eligibility, ask, book)
    assert found["unknown"] == set()
    assert found["blocker"] == ({case.rule} if case.shown == "blocker" else set())
    assert case.rule in found["blocker" if case.shown == "blocker" else "warning"]


def fired(eligibility, ask, book):
    """Return the rules that fired for servers and for the request, by severity."""
    frames = (eligibility.findings, eligibility.request_findings)
    pairs = {pair for found in frames for pair in zip(found["severity"], found["rule"], strict=True)}
    named_request = request_findings(BatchOptions(), ask.name_prefix, book)
    pairs |= {(one.effect.value, one.rule) for one in named_request}
    undecided = {rule for severity, rule in pairs if severity == "unverified" and book.severity(rule) is Effect.BLOCKER}
    found = {word: {rule for severity, rule in pairs if severity == word} for word in ("blocker", "warning")}
    return {**found, "unknown": undecided}


async def answer(case, ask, stage, cloud):
    """Send the request that our rule would have kept back; return the code of the refusal, or of the failed job."""
    group_id = stage.group.id if ask.group_id is None else ask.group_id
    try:
        if case.profile == "otc":
            job_id = await cloud.sdrs.create_protected_instance(single_body(ask, group_id))
        else:
            job_id = await cloud.sdrs.batch_create(batch_body(ask, group_id))
    except CloudError as error:
        return error.code
    stage.sandbox.advance(600)
    job = await cloud.sdrs.job(job_id)
    (sub_job,) = job["entities"].get("sub_jobs") or [job]
    return sub_job["error_code"]


def batch_body(ask, group_id):
    """Return the batch request, written apart from our payloads, which hold to the rules themselves."""
    flavors = ask.options.get("flavors", {})
    servers = [
        {"server_id": one, "flavorRef": flavors[one]} if one in flavors else {"server_id": one}
        for one in ask.server_ids
    ]
    body = {"name_prefix": ask.name_prefix, "server_group_id": group_id, "servers": servers, **shared(ask)}
    return json.dumps({"protected_instances": body}).encode()


def single_body(ask, group_id):
    """Return the request for one server."""
    body = {"name": ask.name_prefix, "server_group_id": group_id, "server_id": ask.server_ids[0], **shared(ask)}
    return json.dumps({"protected_instance": body}).encode()


def shared(ask):
    """Return the optional fields as they were asked for, good or bad."""
    fields = {name: value for name, value in ask.options.items() if name not in {"flavors", "batch_limit"}}
    if isinstance(tags := fields.get("tags"), dict):
        fields["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    return fields


def named(code):
    """Return a code as answers spell it."""
    return code if "." in code else f"SDRS.{code}"


def codes_of(rule):
    """Return every code that a rule prevents, under any of its cases."""
    return {code for variant in ("", *rule.variants) for code in rule.codes_of(variant)}
