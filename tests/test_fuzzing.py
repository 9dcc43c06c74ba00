"""A sample of ``tests.fuzzing``: damaged files end in a result or one of our errors."""

import pytest

from tests import fuzzing

NAMES = (
    "csv", "tsv", "json", "json lines", "xlsx", "ods", "xls", "parquet", "plan", "approval",
    "clouds.yaml", "credentials",
)  # fmt: skip


def test_every_reader_is_sampled(tmp_path):
    """None of them is left out below."""
    assert tuple(fuzzing.parsers(tmp_path)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_end_in_a_result_or_a_sentence(name, tmp_path):
    """Sixty of them, the same in every run."""
    outcome = fuzzing.tried(name, fuzzing.parsers(tmp_path)[name], inputs=60, seed=7)

    assert outcome.faults == []
    assert outcome.read + outcome.refused == 60
    assert outcome.refused > 0


def test_a_fault_is_told_with_what_makes_it_again(tmp_path):
    """Reader, number, seed and place are named, and the input is kept."""
    broken = fuzzing.Parser(lambda _random: b"x", lambda _data: {}["gone"])

    outcome = fuzzing.tried("broken", broken, inputs=1, seed=3, keep=tmp_path)

    assert outcome.faults[0].startswith("broken 0 (seed 3): KeyError \"'gone'\" in ")
    assert (tmp_path / "broken_0").read_bytes() == b"x"
