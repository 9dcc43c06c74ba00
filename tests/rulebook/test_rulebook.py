import re
import warnings
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.eligibility import rules as checks
from sdrs_nb.eligibility.registry import registered
from sdrs_nb.eligibility.rules.request import registered_requests
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.rulebook import PROFILES, Effect, Rulebook, load_rulebook, read_rulebook, rulebook_reason, site_of
from sdrs_nb.rulebook.page import page
from sdrs_nb.tables import INVENTORY_TABLES

BOOK = load_rulebook()
CASES = [(rule, variant) for rule in BOOK.rules.values() for variant in ("", *rule.variants)]


def fields(text: str) -> set[str]:
    """Return the fields of a template."""
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def test_every_entry_has_a_function_and_every_function_an_entry():
    """Adding a rule means its entry, its function and its test."""
    assert checks is not None
    assert set(BOOK.rules) == set(registered()) | set(registered_requests())


def test_every_rule_of_the_facts_is_there():
    """Numbers run without a gap, as in the eligibility facts (Q10 to Q12 are ours)."""
    expected = {"Q": 12, "G": 14, "S": 36, "D": 13, "H": 17, "P": 16}

    own = {letter: [rule for rule in BOOK.rules if rule[0] == letter] for letter in expected}
    assert list(BOOK.rules) == [rule for rules in own.values() for rule in rules]
    assert all(rules == [f"{letter}{at}" for at in range(1, len(rules) + 1)] for letter, rules in own.items())
    assert all(len(own[letter]) >= last for letter, last in expected.items())


@pytest.mark.parametrize(("rule", "variant"), CASES, ids=[f"{rule.id} {variant}" for rule, variant in CASES])
def test_both_languages_say_the_same_fields(rule, variant):
    """A translation must not lose an object or a value; both languages have every text."""
    owner = rule.variants[variant] if variant else rule

    assert fields(owner.en.message) == fields(owner.zh.message)
    assert fields(owner.en.remedy) == fields(owner.zh.remedy)
    assert owner.en.message.endswith(".")
    assert owner.en.remedy.endswith(".")
    assert owner.zh.message.endswith("。")
    assert owner.zh.remedy.endswith("。")
    assert rule.en.title
    assert rule.zh.title


@pytest.mark.parametrize("rule", BOOK.rules.values(), ids=lambda rule: rule.id)
def test_entries_name_frames_codes_and_rules_that_exist(rule):
    """An entry that points nowhere is a mistake."""
    assert set(rule.needs) <= set(INVENTORY_TABLES)
    assert all(re.fullmatch(r"SDRS\.\d{4}", code) for code in rule.codes)
    assert rule.reported_by is None or rule.reported_by in BOOK.rules
    assert set(rule.profiles) <= set(PROFILES)
    assert rule.source


#: Codes of the create request in the documented order (steps 2 to 8), and of what fails inside its job.
CODES = [
    "0201",
    "0202",
    "0212",
    "0207",
    "0228",
    "0227",
    "1371",
    "0218",
    "2203",
    "2205",
    "2204",
    "2208",
    "2207",
    "2209",
    "1362",
    "1361",
    "0210",
    "1013",
    "1024",
    "1323",
    "1325",
    "1002",
    "1360",
    "1305",
    "1303",
    "1304",
    "1333",
    "1359",
    "1357",
    "1356",
    "1353",
    "1321",
    "1339",
    "1322",
    "1340",
    "1802",
    "0225",
    "1831",
    "1811",
    "1806",
    "1408",
    "1335",
    "1366",
    "1372",
    "1373",
    "1375",
    "1374",
    "1381",
    "1384",
    "1383",
    "1386",
    "1385",
    "1358",
    "0306",
    "1306",
    "1812",
    "1350",
]


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_a_create_request_has_a_rule_that_prevents_it(code):
    """What the service may answer is something that a rule looks for before."""
    prevented = {one for rule, variant in CASES for one in rule.codes_of(variant)}

    assert f"SDRS.{code}" in prevented


def test_the_same_arguments_give_the_same_book():
    """The book is read once a process."""
    assert load_rulebook("otc", S22="warning") is load_rulebook("otc", S22="warning")


def test_overrides_change_severity_limits_and_version():
    """What an operator changed is recorded in the version."""
    book = load_rulebook(S22="warning", G11="off", batch_size=10)

    assert book.severity("S22") is Effect.WARNING
    assert book.severity("G11") is Effect.OFF
    assert book.number("batch_size") == 10
    assert book.version != BOOK.version
    assert "batch_size=10" in book.version


@pytest.mark.parametrize(
    ("profile", "overrides", "named"),
    [
        ("mars", {}, "huaweicloud-2025"),
        ("otc", {"S99": "off"}, "S99"),
        ("otc", {"S22": "fatal"}, "blocker"),
        ("otc", {"batch_size": "many"}, "batch_size"),
    ],
)
def test_what_does_not_exist_is_refused(profile, overrides, named):
    """The sentence names what was wrong and what would be right."""
    with pytest.raises(SettingsError, match=named):
        load_rulebook(profile, **overrides)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("takes", [True, False])
def test_a_switch_of_the_site_turns_the_rule_that_blocks(profile, takes):
    """A site said to take shared volumes, or not to, is judged so; a severity of the rule's own wins."""
    assert load_rulebook(profile).limit("shared_volumes") == (load_rulebook(profile).severity("H15") is Effect.NOTICE)

    book = load_rulebook(profile, shared_volumes=takes)

    assert book.severity("H15") is (Effect.NOTICE if takes else Effect.BLOCKER)
    assert load_rulebook(profile, shared_volumes=takes, H15="notice").severity("H15") is Effect.NOTICE


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_version_gives_its_rule_book_back(profile, data):
    """Profile, severities and limits of every kind are found again by the name that a plan recorded."""
    limits = {name: _like(value) for name, value in load_rulebook(profile).limits.items()}
    severities = {name: st.sampled_from([effect.value for effect in Effect]) for name in BOOK.rules}
    chosen = data.draw(st.fixed_dictionaries({}, optional=limits | severities))
    book = load_rulebook(profile, **chosen)

    assert Rulebook.of_version(book.version) is book
    assert read_rulebook(book.name) is book
    assert book.unlike(book.version) == ""


def _is_pattern(text):
    # One that Python takes today and warns of is as good as none; what it has compiled before it warns of no more.
    re.purge()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return bool(re.compile(text))
        except (re.error, FutureWarning):
            return False


def _like(value):
    """Values of the kind of a limit; texts as of a pattern of characters."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return st.integers(-1, 10**6)
    text = st.text("abc []-_.,'\"中", min_size=1, max_size=20).map(str.strip).filter(bool)
    return text.filter(_is_pattern) if isinstance(value, str) else st.lists(text, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("huaweicloud 0123456789ab", "huaweicloud"),
        ("otc 0123456789ab S7=warning", "otc S7=warning"),
        ("otc 0123456789ab G99=off S7=fatal batch_size=many batch_delete_size=2", "otc batch_delete_size=2"),
        ("mars 0123456789ab batch_size=10", "huaweicloud batch_size=10"),
        ("somebody's own", "huaweicloud"),
        ("otc 0123456789ab batch_size=[[1]] volume_types={1:2}", "otc"),
        ("otc 0123456789ab profile=mars", "otc"),
        ("", "huaweicloud"),
    ],
)
def test_of_a_strange_version_everything_that_is_known_holds(version, name):
    """Another release's plan keeps its limits and severities; what this release lacks is dropped, and told."""
    book = Rulebook.of_version(version)

    assert book.name == name
    assert version in book.unlike(version)
    assert book.version in book.unlike(version)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mars", "huaweicloud-2025"),
        ("otc S7", "no profile otc S7"),
        ("otc S7=fatal", "S7"),
        ("otc tags=[[1]]", "tags"),
        ("otc profile=x", "limit profile"),
        ("otc prefix_alphabet=[a-", "Limit prefix_alphabet is no pattern"),
        ("otc tag_refused=(", "Limit tag_refused is no pattern"),
        ("otc description_refused=x{99999999999}", "Limit description_refused is no pattern"),
    ],
)
def test_a_rule_book_that_is_asked_for_by_a_wrong_name_is_refused(name, told):
    """What an operator types is not guessed at."""
    with pytest.raises(SettingsError, match=told):
        read_rulebook(name)


SITES = [
    (["otc.t-systems.com"], None, "otc", "Rule book otc: otc.t-systems.com is Open Telekom Cloud."),
    (["sdrs.eu-nl.otc.t-systems.com"], None, "otc", "is Open Telekom Cloud."),
    (["iam-pub.eu-ch2.sc.otc.t-systems.com"], None, "otc", "is Open Telekom Cloud."),
    (["127.0.0.1", "OTC.T-Systems.com."], "sandbox-1", "otc", "is Open Telekom Cloud."),
    (["gateway.corp"], "eu-de", "otc", "region eu-de is one of Open Telekom Cloud."),
    ([None, ""], "eu-ch2", "otc", "region eu-ch2 is one of Open Telekom Cloud."),
    (["sdrs.cn-north-4.myhuaweicloud.com"], None, "huaweicloud", "is Huawei Cloud."),
    (["sdrs.eu-west-101.myhuaweicloud.eu"], "eu-west-101", "huaweicloud", "is Huawei Cloud."),
    (["127.0.0.1"], "sandbox-1", "huaweicloud", "ASSUMED: 127.0.0.1 is no cloud known here."),
    (["otc.t-systems.com.evil.test"], None, "huaweicloud", "ASSUMED"),
    (["notmyhuaweicloud.com"], None, "huaweicloud", "ASSUMED"),
    ([], None, "huaweicloud", "ASSUMED: nothing says which cloud this is."),
]


@pytest.mark.parametrize(("hosts", "region", "profile", "told"), SITES)
def test_the_cloud_that_is_talked_to_names_its_rules(hosts, region, profile, told):
    """The first known host decides, then the region; else the default is said to be ASSUMED."""
    site = site_of(hosts, region)

    assert site.rulebook is load_rulebook(profile)
    assert told in str(site)
    assert site.is_assumed is ("ASSUMED" in told)


@pytest.mark.parametrize(
    ("book", "told"),
    [
        ("otc", "Rule book otc: otc.t-systems.com is Open Telekom Cloud."),
        ("otc batch_size=10", "Rule book otc batch_size=10, as chosen."),
        ("huaweicloud", "Rule book huaweicloud, as chosen; that of Open Telekom Cloud is otc."),
    ],
)
def test_a_rule_book_is_told_with_its_reason(book, told):
    """Which one and why stand in one sentence, a choice against the cloud's own is named as such."""
    assert rulebook_reason(read_rulebook(book), site_of(["otc.t-systems.com"])) == told


def test_asking_for_an_unknown_rule_or_limit_is_refused():
    """A typing mistake in a rule's id is told at once."""
    with pytest.raises(SettingsError, match="S99"):
        BOOK.rule("S99")
    with pytest.raises(SettingsError, match="length"):
        BOOK.limit("length")


def test_texts_follow_the_language():
    """Both languages live in the rule book itself."""
    set_language("zh")
    try:
        chinese = BOOK.rule("S7").title
    finally:
        set_language("en")

    assert chinese == "服务器为运行或关机状态"
    assert BOOK.rule("S7").title == "Server active or shut off"
    set_language(None)


def test_sources_follow_the_language():
    """Every rule cites its page and section in Chinese too; codes and names of fields stay."""
    set_language("zh")

    cited = {rule.cited for rule in BOOK.rules.values()}

    assert BOOK.rule("S7").cited == "SDRS 错误码，SDRS.1333"
    assert [one for one in cited if re.search(r"[a-z] (item|field|and)|(field|Constraints|FAQ|Function)\b", one)] == []


@pytest.mark.parametrize(
    ("typed", "form", "profile"),
    [
        pytest.param("\uff25\uff32\uff30\uff0d\uff10\uff11", "ERP-01", "huaweicloud", id="full width"),
        pytest.param("\u751f\u4ea7\u3400\u5e93", "\u751f\u4ea7-\u5e93", "huaweicloud", id="rarer Chinese"),
        pytest.param("\uf900", "\u8c48", "huaweicloud", id="compatibility form"),
        pytest.param("\u751f\u4ea7 erp", "erp", "otc", id="no Chinese at this site"),
        pytest.param("erp_1.2-x", "erp_1.2-x", "otc", id="taken as it is"),
        pytest.param("**", "", "huaweicloud", id="nothing left"),
    ],
)
def test_a_refused_name_is_answered_with_the_form_that_would_be_taken(typed, form, profile):
    """The form itself passes, whatever was typed; which Chinese characters count can be set."""
    book = load_rulebook(profile)

    assert book.taken_form(typed) == form
    assert all(re.fullmatch(str(book.limit("prefix_alphabet")), letter) for letter in form)
    assert load_rulebook(prefix_alphabet="[\u3400-\u9fff]").taken_form("\u3400") == "\u3400"


@pytest.mark.parametrize(("rule", "variant"), CASES, ids=[f"{rule.id} {variant}" for rule, variant in CASES])
def test_every_case_says_in_a_few_words_what_is_wrong(rule, variant):
    """A fault fits into a cell in either language and is no sentence; fields are those of its own message."""
    for language in ("en", "zh"):
        set_language(language)
        fault = rule.fault(variant)
        set_language(None)
        assert 0 < len(fault) <= 40
        assert not fault.endswith((".", "\u3002"))
        assert not fields(fault)
    owner = rule.variants[variant] if variant else rule
    assert bool(owner.en.once) == bool(owner.zh.once)
    assert fields(owner.en.once) == fields(owner.zh.once) <= fields(owner.en.message) | {"servers", "group"}


def test_pages_that_bear_a_date_are_cited_with_it():
    """Where pages disagree, the operator sees which is newer, and that the customer's own holds by default."""
    disputed = BOOK.rule("H15")

    assert "2025-11-26" in disputed.source
    assert any("the customer's document" in page for page in disputed.contrary)
    assert any("Swiss" in page for page in disputed.contrary)
    assert len(disputed.contrary) == len(disputed.contrary_zh)


def test_the_page_of_rules_is_up_to_date():
    """The page is generated: python -m sdrs_nb.rulebook.page > docs/rules.md."""
    written = Path(__file__).parents[2] / "docs" / "rules.md"

    assert written.read_text(encoding="utf-8") == page()
