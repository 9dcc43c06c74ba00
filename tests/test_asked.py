"""Whatever a public function is asked with, what is wrong is one sentence of ours, before anything is done."""

import asyncio
import inspect
import math

import numpy as np
import pandas as pd
import pytest

import sdrs_nb
from tests.builders import an_inventory

#: Values of kinds that people hand over by mistake.
ODD = {
    "None": lambda: None,
    "a number": lambda: 7,
    "NaN": lambda: math.nan,
    "a dict": lambda: {"a": 1},
    "a list of numbers": lambda: [1],
    "bytes": lambda: b"x",
    "an object": object,
    "a frame of something else": lambda: pd.DataFrame({"a": [1]}),
    "a text": lambda: "s1",
}
#: Results, which nobody makes but the functions that return them, and what another part of the package checks.
MADE = {
    "Cloud", "Coverage", "Eligibility", "Estimate", "Inventory", "InventoryDiff", "Plan", "Remainder", "Run", "Summary",
    "Batch", "Diagnosis", "Selection", "load_inventory", "read_inventory",
}  # fmt: skip
#: These do what they are asked with odd values: they start a process or make folders, which is tried elsewhere.
STARTING = {"start_sandbox", "start_rehearsal"}


def is_called(name):
    """Tell whether an exported name is called by people."""
    thing = getattr(sdrs_nb, name)
    is_error = inspect.isclass(thing) and issubclass(thing, Exception)
    return not (is_error or name in MADE)


CALLED = [name for name in sdrs_nb.__all__ if is_called(name)]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A good value for every parameter that must be given, by its name."""
    inventory = an_inventory()
    eligibility = sdrs_nb.check_eligibility(inventory)
    plan = sdrs_nb.plan_batches(eligibility, name_prefix="erp")
    place = {"endpoint": "http://127.0.0.1:9", "project_id": "p", "access_key": "a", "secret_key": "s", "attempts": 1}
    folder = tmp_path_factory.mktemp("asked")
    return {
        "cloud": sdrs_nb.connect(**place), "eligibility": eligibility, "inventory": inventory, "plan": plan,
        "name_prefix": "erp", "approve": plan.fingerprint, "frame": pd.DataFrame({"a": [1]}), "who": "me",
        "path": folder / "out.file", "sheets": {"a": pd.DataFrame({"a": [1]})}, "run_id": "nope", "folder": folder,
        "outcome": pd.DataFrame({"stage": ["created"]}), "earlier": inventory, "later": inventory,
    }  # fmt: skip


def asked(name, good, /, **odd):
    """Call an exported function with good values but for ``odd``; await it where it has to be."""
    function = getattr(sdrs_nb, name)
    parameters = inspect.signature(function).parameters.values()
    values = {each.name: good.get(each.name) for each in parameters if each.default is each.empty and each.kind != 4}
    result = function(**{key: value for key, value in (values | odd).items() if key != "kwargs"})
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def parameters_of(name):
    """Return the names of what a function takes by name."""
    found = inspect.signature(getattr(sdrs_nb, name)).parameters.values()
    return [each.name for each in found if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """A text that is taken as a path is a file of the test's own folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", [name for name in CALLED if name not in STARTING])
def test_a_value_of_a_wrong_kind_is_an_error_of_ours(name, good):
    """Every option with every odd value: it works, or it is an ``SdrsError`` of one or more sentences."""
    broken = {}
    for option in parameters_of(name):
        for kind, make in ODD.items():
            try:
                asked(name, good, **{option: make()})
            except sdrs_nb.SdrsError:
                continue
            except Exception as error:  # noqa: BLE001 - which ones is what is tested
                broken[option, kind] = repr(error)

    assert broken == {}


@pytest.mark.parametrize("name", CALLED)
def test_an_unknown_option_is_named(name, good):
    """A misspelt option is an error of ours that names it."""
    with pytest.raises(sdrs_nb.SdrsError, match="no_such_option"):
        asked(name, good, no_such_option=1)


def test_a_misspelt_option_is_told_its_name(good):
    """The closest option is offered."""
    with pytest.raises(sdrs_nb.SettingsError, match=r"plan_batches\(\) has no option name_prefx\. Use name_prefix\."):
        asked("plan_batches", good, name_prefx="x")


@pytest.mark.parametrize(
    ("name", "option"),
    [("check_eligibility", "inventory"), ("plan_batches", "eligibility"), ("submit", "plan"), ("follow", "run")],
)
def test_a_call_that_was_not_awaited_is_told(name, option, good):
    """A coroutine in place of a value says where the await belongs, and is closed."""

    async def load():
        return 1

    given = load()
    with pytest.raises(sdrs_nb.SettingsError, match=rf"as {option} that was not awaited\. Write await"):
        asked(name, good, **{option: given})

    assert inspect.getcoroutinestate(given) == inspect.CORO_CLOSED


@pytest.mark.parametrize(
    ("name", "option", "value", "said"),
    [
        ("check_eligibility", "inventory", {"servers": []}, "not dict"),
        ("check_eligibility", "server_ids", 7, "server_ids"),
        ("check_eligibility", "group_id", math.nan, "not NaN"),
        ("plan_batches", "wave_limit", "3", "not str"),
        ("plan_batches", "approvals_needed", True, "not bool"),
        ("write_csv", "frame", {"a": 1}, "takes DataFrame as frame, not dict"),
        ("require_complete", "outcome", pd.DataFrame({"a": [1]}), "no column stage"),
        ("set_language", "language", 7, "not int"),
        ("BatchOptions", "batch_limit", "many", "batch_limit"),
    ],
)
def test_what_is_wrong_is_named(name, option, value, said, good):
    """The sentence names the option, what it takes and what was given."""
    with pytest.raises(sdrs_nb.SettingsError, match=said) as refused:
        asked(name, good, **{option: value})

    assert "--" not in str(refused.value)


def test_values_of_other_libraries_are_taken(good):
    """Numbers and lists of numpy and pandas are as good as Python's own."""
    plan = asked("plan_batches", good, wave_limit=np.int64(5), known_flavors=pd.Series(["f"], dtype="string"))

    assert len(plan.batches) == 1


def test_a_checked_function_is_still_itself():
    """Name, docstring and signature stay, and a coroutine function stays one."""
    assert sdrs_nb.plan_batches.__name__ == "plan_batches"
    assert "name_prefix" in inspect.signature(sdrs_nb.plan_batches).parameters
    assert inspect.iscoroutinefunction(sdrs_nb.submit)
