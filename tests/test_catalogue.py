"""The Chinese catalogues: complete, faithful, spoken everywhere, and switched as an operator expects."""

import os
import string
import subprocess
import sys
from collections import Counter

import pytest
from markdown_it import MarkdownIt

import sdrs_nb
from sdrs_nb.i18n import _, current_language, ngettext_
from sdrs_nb.shown.titles import column_title, frame_title
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders import an_inventory
from tests.builders_reporting import a_recorded_run
from tools import catalogue

ZH = {domain: catalogue.read("zh", catalogue.catalogues(domain)["zh"]) for domain in catalogue.DOMAINS}
SOURCE = {domain: messages() for domain, messages in catalogue.DOMAINS.items()}
TRANSLATED = [one for one in ZH["sdrs_nb"] if one.id]
PROSE = [one for one in ZH["runbooks"] if one.id]
#: Messages that Chinese operators write the same: abbreviations, units, examples of what to type.
SAME = {"2025-03", "8..32", "GiB", "VPC", "key=value", "token", "{size} GiB"}


def keys(message):
    """Return the English forms of a message."""
    return catalogue.strings(message.id)


def is_chinese(text):
    """Tell whether a text has a Chinese character in it."""
    return any("\u3000" <= character <= "\uffef" for character in text)


def fields(text):
    """Return the names that a template is filled with, and how each is shown."""
    return {(name, shown) for _literal, name, _format, shown in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("domain", "at_least"), [("sdrs_nb", 700), ("runbooks", 140)])
def test_it_has_exactly_the_messages_of_the_source(domain, at_least):
    """No message is missing, stale, empty or guessed; `python tools/catalogue.py` names what to translate."""
    assert len(list(SOURCE[domain])) > at_least
    assert list(catalogue.differences(ZH[domain], SOURCE[domain])) == []


def test_no_translation_is_its_english_key():
    """A copied key is no translation, but for what Chinese operators write the same."""
    copied = {key for one in TRANSLATED + PROSE for key in keys(one) if key in catalogue.strings(one.string)}

    assert copied == SAME


def test_every_translation_takes_the_fields_of_its_key():
    """A field that is lost, added or renamed would hide a fact or break the sentence."""
    wrong = {
        key: text
        for one in TRANSLATED
        for key in keys(one)[-1:]
        for text in catalogue.strings(one.string)
        if fields(text) != fields(key)
    }

    assert wrong == {}


def test_every_translation_keeps_the_marks_of_layout():
    """The sign that keeps the examples of a help text on lines of their own stands as often, and never spelt out."""
    wrong = {
        key: text
        for one in TRANSLATED
        for key in keys(one)[-1:]
        for text in catalogue.strings(one.string)
        if text.count("\b") != key.count("\b") or "\\b" in text
    }

    assert wrong == {}


def test_every_translation_has_chinese_in_it():
    """What was translated holds at least one Chinese character."""
    foreign = {
        text
        for one in TRANSLATED + PROSE
        for text in catalogue.strings(one.string)
        if text not in SAME and not is_chinese(text)
    }

    assert foreign == {"ID", "VPC ID", "vCPU"}


def structure(text):
    """Return what Markdown makes of a text but for its words: blocks, headings, cells, bold, emphasis, code."""
    blocks = MarkdownIt().enable("table").parse(text)
    marks = [
        (mark.type, mark.content if mark.type == "code_inline" else "") for one in blocks for mark in one.children or []
    ]
    return (
        [(block.type, block.tag) for block in blocks],
        Counter(mark for mark in marks if mark[0] in {"code_inline", "strong_open", "em_open", "link_open"}),
    )


def test_a_translated_paragraph_keeps_its_structure():
    """Headings, tables, bold, emphasis and every piece of code are those of the English paragraph."""
    wrong = {one.string for one in PROSE if structure(one.string) != structure(one.id)}

    assert wrong == set()


@pytest.mark.parametrize("domain", catalogue.DOMAINS)
def test_the_file_is_as_the_tool_writes_it(domain, tmp_path):
    """Updating a complete catalogue changes no byte, so a difference in review is always a message."""
    path = tmp_path / f"{domain}.po"
    path.write_bytes(catalogue.catalogues(domain)["zh"].read_bytes())

    catalogue.update("zh", path, SOURCE[domain])

    assert path.read_bytes() == catalogue.catalogues(domain)["zh"].read_bytes()


def test_a_missing_and_a_stale_message_are_named(tmp_path):
    """What the check says of a catalogue that fell behind its source names both messages."""
    behind = catalogue.Catalog(locale="zh")
    behind.add("Servers", "服务器")
    behind.add("Blockers", "")
    source = catalogue.Catalog()
    source.add("Volumes")
    source.add("Blockers")

    assert list(catalogue.differences(behind, source)) == [
        "missing: 'Volumes'",
        "stale: 'Servers'",
        "not translated: 'Blockers'",
    ]


def test_a_language_without_a_compiled_catalogue_speaks_english():
    """Where nobody compiled the catalogue every sentence is English, without a word about it."""
    code = "import pathlib, sdrs_nb.i18n as i; i.__file__ = '/nowhere/i18n.py'; print(i._('Servers'))"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "SDRS_NB_LANG": "zh"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("Servers\n", "")


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh", "zh"), ("zh-CN", "zh"), ("zh_CN.UTF-8", "zh"), ("ZH", "zh"), ("en_US", "en"), ("de", "en"), ("C", "en")],
)
def test_a_language_is_known_by_its_tag(tag, language):
    """Every usual spelling of a tag is understood, and what is not spoken here is English."""
    sdrs_nb.set_language(tag)

    assert current_language() == language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"SDRS_NB_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
        ({"SDRS_NB_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) or "nothing" if isinstance(value, dict) else value,
)
def test_the_environment_chooses_the_language(monkeypatch, environment, language):
    """SDRS_NB_LANG is heard before the locale, and the locale's names in the order of the system."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert current_language() == language


def test_what_was_set_beats_the_environment_and_can_be_taken_back(monkeypatch):
    """set_language switches every later message; None goes back to the environment."""
    monkeypatch.setenv("SDRS_NB_LANG", "en")

    sdrs_nb.set_language("zh")
    chosen = [_("Servers"), ngettext_("{count} server", "{count} servers", 1)]
    sdrs_nb.set_language(None)

    assert chosen == ["服务器", "1 台服务器"]
    assert [_("Servers"), ngettext_("{count} server", "{count} servers", 1)] == ["Servers", "1 server"]


@pytest.mark.xdist_group("language")
@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_language_never_leaks_into_the_next_test(turn):
    """Whichever test runs second still begins in English, although the first left Chinese on."""
    before = current_language()

    sdrs_nb.set_language("zh")

    assert before == "en"


class TestInJupyterLab:
    """A notebook's kernel follows the language that JupyterLab is set to."""

    @pytest.fixture
    def lab(self, monkeypatch, tmp_path):
        """Pretend to be a notebook's kernel whose JupyterLab keeps these settings."""

        def keep(text):
            monkeypatch.setenv("JPY_SESSION_NAME", "/home/operator/protect.ipynb")
            monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path))
            kept = tmp_path / "@jupyterlab" / "translation-extension" / "plugin.jupyterlab-settings"
            kept.parent.mkdir(parents=True)
            kept.write_text(text, encoding="utf-8")

        return keep

    @pytest.mark.parametrize(
        ("kept", "language"),
        [
            ('{\n    // Language locale\n    "locale": "zh_CN"\n}', "zh"),
            ('{"locale": "en"}', "en"),
            ('{"locale": "default"}', "en"),
            ("{}", "en"),
            ("[]", "en"),
            ("not a setting", "en"),
        ],
        ids=["chinese", "english", "default", "unset", "no object", "broken"],
    )
    def test_its_setting_is_read_as_jupyterlab_writes_it(self, lab, kept, language):
        """The settings file may hold comments; what cannot be read is as if nothing was chosen."""
        lab(kept)

        assert current_language() == language

    def test_it_beats_the_locale_and_yields_to_what_was_said_here(self, lab, monkeypatch):
        """The order is set_language, SDRS_NB_LANG, JupyterLab, locale."""
        lab('{"locale": "zh_CN"}')
        monkeypatch.setenv("LANG", "en_US.UTF-8")
        by_lab = current_language()
        monkeypatch.setenv("SDRS_NB_LANG", "en")
        by_variable = current_language()
        sdrs_nb.set_language("zh")

        assert (by_lab, by_variable, current_language()) == ("zh", "en", "zh")

    def test_it_says_nothing_to_a_process_that_is_no_notebook(self, lab, monkeypatch):
        """A script or a terminal on the same machine keeps to its own environment."""
        lab('{"locale": "zh_CN"}')
        monkeypatch.delenv("JPY_SESSION_NAME")

        assert current_language() == "en"


class TestSpokenInChinese:
    """Each face of the toolkit, heard in Chinese."""

    @pytest.fixture(autouse=True)
    def chinese(self):
        """Speak Chinese from the start."""
        sdrs_nb.set_language("zh")

    def test_the_report(self, ledger, tmp_path):
        """A report's page names its language, its sections and what was reached in Chinese."""
        path = sdrs_nb.report(a_recorded_run(ledger, servers=3, blocked=1), tmp_path / "report.html")
        page = path.read_text(encoding="utf-8")

        assert '<html lang="zh">' in page
        assert "计划的 3 台服务器中，3 台已有保护实例。" in page
        assert "未列入及原因" in page
        assert "Left out" not in page

    def test_the_titles_of_columns(self):
        """Every column of an inventory is titled in Chinese, or as Chinese operators write it."""
        names = {name for table in INVENTORY_TABLES.values() for name in table.columns}
        titles = {column_title(name) for name in names}

        assert {title for title in titles if not is_chinese(title)} == {"VPC ID", "vCPU"}

    def test_the_title_of_a_frame(self):
        """Every frame of an inventory has a Chinese title; a name that is not ours is spelled out."""
        titles = [frame_title(name) for name in INVENTORY_TABLES]

        assert [title for title in titles if not is_chinese(title)] == ["VPC"]
        assert frame_title("our_own") == "our own"

    def test_an_object_shows_itself(self):
        """What a cell shows of an inventory and of its check is Chinese, as text and as markup."""
        inventory = an_inventory()
        eligibility = sdrs_nb.check_eligibility(inventory)

        assert repr(inventory).startswith("资产清单（servers ")
        assert repr(eligibility).startswith("保护条件（")
        assert "云硬盘" in inventory._repr_html_()
        assert "云硬盘受复制对约束</td><td>提示" in eligibility._repr_html_()

    def test_an_error(self, ledger):
        """An error says what happened and what to do in Chinese, names unchanged."""
        with pytest.raises(sdrs_nb.SdrsError, match=r"台账 .*ledger\.db 中没有运行 nobody。"):
            sdrs_nb.open_run("nobody", ledger)

    def test_the_headings_of_the_panels(self):
        """Every step of the workbench has its title and its state in Chinese."""
        workbench = sdrs_nb.Workbench(lang="zh")
        titles = [panel.title for panel in workbench.panels]
        workbench.close()

        assert titles == ["连接", "资产清单", "保护条件", "计划", "预览和审批", "提交和跟踪", "校验和报告"]


@pytest.mark.slow
def test_the_command_line_speaks_chinese_from_its_help_to_its_errors(tmp_path):
    """``--lang zh`` reaches the help, which is made on import, and SDRS_NB_LANG the error."""

    def shell(*words, **environment):
        return subprocess.run(
            [sys.executable, "-m", "sdrs_nb.cli", *words],
            env={**os.environ, "PYTHONUTF8": "1", **environment},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    assert "批量保护云服务器" in shell("--lang", "zh", "--help").stdout
    assert "20_protect_servers\t保护服务器" in shell("--lang", "zh", "runbook", "list").stdout
    assert "没有运行 nobody" in shell("report", "nobody", str(tmp_path / "r.html"), SDRS_NB_LANG="zh").stderr
