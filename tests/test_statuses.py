"""Every status word of the documents has one meaning, and an error is an error wherever it is asked about."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sdrs_nb
from sdrs_nb import statuses
from sdrs_nb.aftercare.coverage import Cover
from sdrs_nb.aftercare.groups import create_group
from sdrs_nb.running.endings import Ending, Owned, end_of, found_now
from sdrs_nb.running.ownership import Ownership, Whose
from sdrs_nb.statuses import ENDED, MADE, OPEN, REACHED, WORST_FIRST, InstanceState, JobStatus, Stage, Tally, tally
from tests.builders import DR_AZ, a_group, a_pair, a_server, an_instance, an_inventory

PACKAGE = Path(statuses.__file__).parent
RESOURCES = {
    "group": statuses.GROUP,
    "instance": statuses.INSTANCE,
    "pair": statuses.PAIR,
    "server": statuses.SERVER,
    "volume": statuses.VOLUME,
}
WORDS = [pytest.param(word, id=f"{kind} {word}") for kind, words in RESOURCES.items() for word in sorted(words)]
#: What no other status means; a word that is made up, or another resource's, is never one of them.
GOOD = {Stage.CREATED, Stage.PROTECTED, Stage.IN_SYNC, Stage.DELETED}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_an_error_exactly_when_it_says_so(word):
    """``error``, ``error-...``, ``error_...`` and ``ERROR``, of whatever resource."""
    assert statuses.is_error(word) == (word.lower().replace("_", "-").split("-")[0] == "error")


@pytest.mark.parametrize("status", sorted(statuses.INSTANCE))
def test_every_documented_status_of_an_instance_has_a_meaning(status):
    """No documented word is OTHER, and error words are ERROR."""
    meaning = statuses.instance_state(status)

    assert meaning is not InstanceState.OTHER
    assert (meaning is InstanceState.ERROR) == (statuses.is_error(status) or status == "invalid")


@given(st.text(max_size=20) | st.sampled_from(sorted(statuses.INSTANCE | statuses.GROUP | statuses.PAIR)))
def test_only_available_and_protected_say_created_and_protected(status):
    """Whatever the service answers, documented or not, no other word than its own makes a server protected."""
    stage = statuses.instance_stage(status)

    assert (stage == Stage.PROTECTED) == statuses.means_protected(status) == (status == "protected")
    if statuses.is_error(status):
        assert stage == Stage.FAILED
    if status not in statuses.INSTANCE and not statuses.is_error(status):
        assert stage == Stage.UNKNOWN


def an_answer(status):
    """An instance of ours as the service lists it."""
    document = {"id": "i1", "source_server": "s1", "target_server": "d1", "status": status}
    return Owned(document, Ownership(Whose.MADE, "a job names it"))


@pytest.mark.parametrize("status", sorted(statuses.INSTANCE))
@pytest.mark.parametrize("before", list(Stage), ids=str)
def test_following_and_verifying_say_the_same_of_an_instance(status, before):
    """What a job's end records of an instance is what a later look finds: neither calls an error a success."""
    ended = end_of("s1", an_answer(status), Ending(None))
    row = {"server_id": "s1", "stage": before.value, "message": "", "whose": ""}

    found = found_now(row, an_answer(status))

    now = Stage(before if found is None else found["stage"])
    looks = status != "creating"
    assert ended["stage"] == statuses.instance_stage(status)
    assert now == (ended["stage"] if looks else before) or (now, status) == (Stage.IN_SYNC, "protected")
    if looks and statuses.is_error(status):
        assert now == Stage.FAILED


@pytest.mark.parametrize("status", sorted(word for word in statuses.INSTANCE if statuses.is_error(word)))
def test_an_error_names_the_instance_its_status_and_what_to_do(status):
    """A failed creation is to be deleted; another failed operation is to be repaired, not deleted."""
    message = end_of("s1", an_answer(status), Ending(None))["message"]

    assert status in message
    assert "i1" in message
    assert ("delete instance" in message) == (status in {"error", "error-deleting"})


@pytest.mark.parametrize("status", sorted(statuses.INSTANCE))
@pytest.mark.parametrize("group", ["available", "protected", "error-starting", "error-reversing"])
def test_coverage_calls_an_error_of_instance_or_group_an_error(status, group):
    """Only ``protected`` in a group without error is covered; every error word is shown as one."""
    inventory = an_inventory(
        servers=[a_server("s1"), a_server("dr-of-s1", az=DR_AZ)],
        groups=[a_group(status=group)],
        protected_instances=[an_instance("s1", status=status, progress=100)],
        replication_pairs=[a_pair("v1", protected_instance_ids="instance-of-s1", replication_status="active")],
    )

    cover = sdrs_nb.cover(inventory).servers["cover"].iloc[0]

    assert (cover == Cover.PROTECTED) == (status == "protected" and not statuses.is_error(group))
    if statuses.is_error(status) or statuses.is_error(group):
        assert cover == Cover.ERROR


@pytest.mark.parametrize("status", sorted(word for word in statuses.PAIR if statuses.is_error(word)))
def test_a_pair_in_error_keeps_its_server_from_being_covered(status):
    """A pair that is in error is not in step, whatever its replication status still says."""
    inventory = an_inventory(
        servers=[a_server("s1"), a_server("dr-of-s1", az=DR_AZ)],
        protected_instances=[an_instance("s1", progress=100)],
        replication_pairs=[
            a_pair("v1", protected_instance_ids="instance-of-s1", replication_status="active", status=status)
        ],
    )

    assert sdrs_nb.cover(inventory).servers["cover"].tolist() == [Cover.LAGGING]


class _Groups:
    """A cloud with one group, in whatever status."""

    def __init__(self, status):
        self.sdrs = self
        self.status = status

    async def domains(self):
        return [
            {
                "id": "domain-1",
                "local_replication_cluster": {"availability_zone": "az-1"},
                "remote_replication_cluster": {"availability_zone": "az-2"},
            }
        ]

    async def groups(self):
        return [
            {
                "id": "g1", "name": "erp", "status": self.status, "source_availability_zone": "az-1",
                "target_availability_zone": "az-2", "domain_id": "domain-1", "source_vpc_id": "vpc-1",
            }
        ]  # fmt: skip


@pytest.mark.parametrize("status", sorted(word for word in statuses.GROUP if statuses.is_error(word)))
async def test_a_group_in_error_never_counts_as_ready(status):
    """Creating a group ends with the error that its status is."""
    with pytest.raises(sdrs_nb.JobFailed, match=status):
        await create_group(_Groups(status), {"vpc_id": "vpc-1", "production_az": "az-1"}, name="erp")


@pytest.mark.parametrize("status", sorted(statuses.GROUP))
def test_a_group_takes_servers_or_says_why_not(status):
    """G2: available and protected take servers; every other documented status blocks, an error as an error."""
    found = sdrs_nb.check_eligibility(
        an_inventory(servers=[a_server("s1")], groups=[a_group(status=status)]), group_id=a_group()["group_id"]
    )

    fired = found.findings.query("rule == 'G2'")
    assert fired.empty == (status in statuses.TAKES_SERVERS)
    if statuses.is_error(status):
        assert "epair" in fired["remedy"].iloc[0]


def test_stages_are_each_in_one_class_and_all_in_the_order_of_weight():
    """Reached, failed, taken, open or waiting: every stage is one of them, and has its place in lists."""
    classes = [REACHED, {Stage.FAILED}, {Stage.TAKEN}, OPEN, {Stage.NOT_SENT}]

    assert sorted(stage for one in classes for stage in one) == sorted(Stage)
    assert sorted(WORST_FIRST) == sorted(Stage)
    assert WORST_FIRST[:2] == (Stage.FAILED, Stage.UNKNOWN)
    assert ENDED == {stage for stage in Stage if statuses.has_ended(stage)} == REACHED | {Stage.FAILED, Stage.TAKEN}
    assert MADE < REACHED
    assert set(REACHED) == GOOD


@given(st.dictionaries(st.sampled_from(list(Stage)), st.integers(0, 1000)))
def test_a_tally_loses_and_doubles_nobody(counts):
    """However servers are spread over stages, each counts once, and what has ended is what ``has_ended`` says."""
    found = tally(counts)

    assert found.whole == sum(counts.values())
    assert found.ended == sum(count for stage, count in counts.items() if statuses.has_ended(stage))


def test_a_tally_refuses_a_word_that_is_no_stage():
    """A typing mistake is no server that silently counts nowhere."""
    with pytest.raises(ValueError, match="creatd"):
        tally({"creatd": 1})
    assert tally({}) == Tally()


@pytest.mark.parametrize("word", ["INIT", "RUNNING", "SUCCESS", "FAIL", "success", "QUEUED", "", None])
def test_only_success_and_fail_end_a_job(word):
    """A word nobody documented never reads as an end."""
    status = statuses.job_status(word)

    assert status.has_ended == (status in (JobStatus.SUCCESS, JobStatus.FAIL))
    assert (status is JobStatus.OTHER) == (str(word).upper() not in {"INIT", "RUNNING", "SUCCESS", "FAIL"})


#: Words that are also verdicts, covers, variants of a rule, columns, or answers of our own.
ELSEWHERE = {"error", "fault", "protected", "deleting", "unknown", "failed", "accepted", "created"}


def test_no_other_module_spells_a_status_of_the_service():
    """A word such as ``error-starting`` or ``SHUTOFF`` stands in one module; words, tones and sandbox have theirs."""
    words = set().union(*RESOURCES.values(), JobStatus, Stage) - ELSEWHERE
    found = {
        f"{path.relative_to(PACKAGE)}: {node.value}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"statuses.py", "tones.py", "words.py"} and path.parent.name != "sandbox"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in words
    }

    assert found == set()
