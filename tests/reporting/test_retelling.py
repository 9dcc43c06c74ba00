"""A report speaks one language, whoever walked the run."""

import re

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.i18n import _, wordings
from sdrs_nb.reporting.retelling import retell, retold
from sdrs_nb.rulebook import load_rulebook
from tests.builders import GROUP, a_server, an_inventory
from tests.builders_reporting import a_recorded_run


@pytest.fixture(autouse=True)
def language():
    """Return the setter of the language; afterwards it is found as before."""
    yield sdrs_nb.set_language
    sdrs_nb.set_language(None)


REFUSED = "{error} The likely cause is {servers}: {reason}"
SAID = [
    lambda: _("Released before it was sent."),
    lambda: _("Its sub-job failed: {reason}", reason="the flavor is sold out"),
    lambda: _(REFUSED, error=_("{method} {path} answered {status}.", method="POST", path="/v1/p", status=400),
              servers="db-1 (s1)", reason=_("The group is full; use another protection group.")),
    lambda: _("Its batch was refused ({code}), most likely because of {servers}. Nothing was made; plan it again.",
              code="SDRS.1013", servers="db-1 (s1)"),
    lambda: " ".join((_("{method} {path} answered {status}, {said}", method="POST", path="/v1/p", status=400,
                        said="SDRS.1358: group full."), _("The group is full; use another protection group."),
                      _("Request id: {request_id}.", request_id="r-9"))),
    lambda: _("Rule {rule} ({title}) could not be decided for server {{server}}: ", rule="S1",
              title=load_rulebook().rule("S1").title).replace("{server}", "db-1 (s1)")
            + _("{columns} was not read.").replace("{columns}", "key_name"),
]  # fmt: skip


@pytest.mark.parametrize("say", SAID, ids=range(len(SAID)))
@pytest.mark.parametrize(("stored", "read"), [("en", "zh"), ("zh", "en")])
def test_a_stored_sentence_is_told_again_as_if_it_were_said_now(say, stored, read, language):
    """Whichever of the two it was said in, also where one stands within another or behind it."""
    language(stored)
    kept = say()
    language(read)

    assert retell(kept) == say() != kept


@pytest.mark.parametrize(("stored", "read"), [("en", "zh"), ("zh", "en")])
def test_findings_and_reasons_of_every_server_change_their_language(stored, read, language):
    """Rule by rule, as a plan keeps them."""
    servers = [a_server("s1", status="ERROR"), a_server("s2", os_type="Windows", key_name="k"), a_server("s3")]

    def found(now):
        language(now)
        eligibility = sdrs_nb.check_eligibility(an_inventory(servers=servers), group_id=GROUP)
        plan = sdrs_nb.plan_batches(eligibility, name_prefix="t")
        return eligibility.findings[["message", "remedy"]], plan.left_out[["reason"]]

    kept, now = found(stored), found(read)

    for before, after in zip(kept, now, strict=True):
        pd.testing.assert_frame_equal(retold(before, *before.columns), after)


def test_the_words_of_the_cloud_are_quoted_behind_what_their_code_means(language):
    """What no template made stays as it was, marked as a quotation."""
    language("en")

    assert retell("规格已售罄", "Ecs.0018") == (
        "The flavor is sold out in the DR AZ. Recorded in these words: “规格已售罄”"
    )
    assert retell("the flavor is sold out") == "the flavor is sold out"
    ours = _("Its sub-job failed: {reason}", reason="规格已售罄")
    assert retell(ours) == ours
    language("zh")
    assert retell("the flavor is sold out", "Ecs.0018").endswith("“the flavor is sold out”")


@pytest.mark.parametrize("name", ["db-1", "failed", "Servers", "{x}", "", "服务器", "a: b"])
def test_names_and_values_stay_what_they_are(name, language):
    """A server may be called like a word of ours."""
    language("en")
    kept = _("Its sub-job failed: {reason}", reason=name)
    language("zh")

    assert retell(kept) == _("Its sub-job failed: {reason}", reason=name)


@pytest.mark.parametrize(("stored", "read"), [("en", "zh"), ("zh", "en")])
def test_a_report_speaks_one_language(ledger, tmp_path, stored, read, language):
    """Recorded in one, reported in the other: no sentence of ours is left in the first."""
    language(stored)
    run = a_recorded_run(ledger, servers=3, blocked=2)
    run.ledger.set_batch(run.run_id, run.batches["batch_id"].iloc[0], "held", SAID[3]())
    language(read)

    page = sdrs_nb.report(run, tmp_path / "r.html").read_text(encoding="utf-8")

    body = re.sub(r"<style>.*?</style>|<pre>.*?</pre>|<[^>]+>", " ", page, flags=re.DOTALL)
    words = (
        re.findall(r"[\u3400-\u9fff]+", body) if read == "en" else re.findall(r"(?:\b[A-Za-z]{3,}\b[ ,]+){5,}", body)
    )
    assert words == []
    assert SAID[3]() in page


def test_every_wording_has_both_languages():
    """The catalogue lists itself."""
    pairs = wordings("zh")

    assert tuple(e for e, _z in pairs if e[0] == "Released before it was sent.") == (("Released before it was sent.",),)
    assert all(translated[0] for _english, translated in pairs)
