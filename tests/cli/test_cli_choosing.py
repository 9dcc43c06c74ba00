"""Whatever Python and the workbench can choose, a shell can: lists, expressions, options, and a run's control."""

import json

import pytest
import yaml

import sdrs_nb
from sdrs_nb import loop
from tests.builders import a_group, a_server, an_instance, an_inventory

pytest_plugins = ["tests.cli.shell_fixtures"]

#: Forty entries: three names of two servers each, two of nobody, and one DR server's id beside its production server.
TWICE = ("db-1", "db-2", "db-3")
NOBODY = ("ghost-1", "gone-2")


@pytest.fixture
def estate(tmp_path):
    """An estate of fifty servers as a workbook, three names of it twice, and a DR server called as production."""
    servers = [a_server(f"server-{at:02}", name=f"web-{at:02}", tags="env=prod") for at in range(40)]
    servers += [a_server(f"{name}-{az}", name=name, az=az) for name in TWICE for az in ("az-1", "az-9")]
    servers.append(a_server("dr-of-server-39", name="web-00"))
    inventory = an_inventory(servers=servers, groups=[a_group()], protected_instances=[an_instance("server-39")])
    return inventory.to_excel(tmp_path / "estate.xlsx")


@pytest.fixture
def names(tmp_path):
    """A text file of forty names."""
    listed = [*(f"web-{at:02}" for at in range(35)), *TWICE, *NOBODY]
    (tmp_path / "names.txt").write_text("\n".join(listed) + "\n")
    return tmp_path / "names.txt"


def test_forty_names_to_an_approved_plan_in_two_commands(shell, estate, names, tmp_path):
    """The five that are open are named with what to do, nothing else is asked, and the rest is planned."""
    made = shell("plan", estate, "--servers", "names.txt", "--name-prefix", "erp")
    approved = shell("approve", "plan.json", "--who", "li")

    assert (made.returncode, approved.returncode) == (0, 0)
    assert "35 servers selected; 3 entries fit several servers, 2 fit none." in made.stderr
    open_lines = [line for line in made.stderr.splitlines() if line.startswith((*TWICE, *NOBODY))]
    assert len(open_lines) == 5
    assert "db-1-az-9 (az=az-9" in made.stderr
    plan = sdrs_nb.Plan.load(tmp_path / "plan.json")
    assert set(plan.servers["server_id"]) == {f"server-{at:02}" for at in range(35)}
    assert [text.split()[0] for text in plan.open_points] == [*TWICE, *NOBODY]
    assert all(text in approved.stderr for text in plan.open_points)
    assert sdrs_nb.load_approval(tmp_path / "approval.json").fingerprint == plan.fingerprint


def test_a_list_on_the_standard_input_and_an_expression_narrow_each_other(shell, estate, names):
    """`cat names.txt | sdrs-nb check --servers - --where ...`; the counts are told."""
    done = shell("check", estate, "--servers", "-", "--where", "name < 'web-05'", "--json", input=names.read_text())

    assert done.returncode == 0
    assert [row["name"] for row in json.loads(done.stdout)] == [f"web-{at:02}" for at in range(5)]
    assert "30 servers of the list do not satisfy the expression." in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--servers", "none.txt"], 2, "none.txt"),
        (["--servers", "nobody.txt"], 2, "ghost is not found"),
        (["--where", "nme == 'x'"], 2, "name"),
        (["--where", "name =="], 2, "no expression"),
        (["--where", "az == 'nowhere'"], 3, "No server is selected"),
        (["--options", "none.yaml"], 2, "none.yaml"),
        (["--options", "wrong.yaml"], 2, "batch_limt"),
        (["--tag", "owner"], 2, "no equals sign"),
        (["--flavor", "ghost=s6"], 2, "ghost"),
        (["--tenancy", "cosy"], 2, "--tenancy"),
        (["--with-cloud"], 2, "No credentials"),
    ],
)
def test_what_cannot_be_chosen_is_said_with_the_code_for_it(shell, estate, tmp_path, words, code, said):
    """One sentence, and nothing on the standard output."""
    (tmp_path / "nobody.txt").write_text("ghost")
    (tmp_path / "wrong.yaml").write_text("batch_limt: 1")

    done = shell("plan", estate, *words)

    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_with_cloud_needs_a_list(shell):
    """Without one there is nothing that says which."""
    assert "name the list" in shell("check", "--with-cloud").stderr


def test_every_word_of_the_options_reaches_the_plan_typed_or_in_a_file(shell, estate, tmp_path):
    """A file of options, the same words typed, and a typed word over the file make the plans they say."""
    words = ["--servers", "two.txt", "--name-prefix", "erp", "--description", "text", "--tag", "a=b", "--tenancy",
             "shared", "--batch-limit", "1", "--override", "server_id=web-01; wave=2", "--priority", "web-00=2",
             "--flavor", "web-00=s6.large.2", "--group-order", "smallest"]  # fmt: skip
    (tmp_path / "two.txt").write_text("web-00, web-01")
    said = {
        "servers": "two.txt", "name_prefix": "erp", "description": "text", "tags": {"a": "b"}, "tenancy": "shared",
        "batch_limit": 1, "overrides": [{"server_id": "web-01", "wave": 2}], "priority": {"web-00": 2},
        "flavors": {"web-00": "s6.large.2"}, "group_order": "smallest",
    }  # fmt: skip
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(said))

    runs = [
        shell("plan", estate, *words, "--out", "typed.json"),
        shell("plan", estate, "--options", "job.yaml", "--out", "file.json"),
        shell("plan", estate, "--options", "job.yaml", "--name-prefix", "crm", "--out", "both.json"),
    ]

    assert [done.returncode for done in runs] == [0, 0, 0], [done.stderr for done in runs]
    typed, file, both = (sdrs_nb.Plan.load(tmp_path / f"{name}.json") for name in ("typed", "file", "both"))
    assert typed.fingerprint == file.fingerprint != both.fingerprint
    assert [batch.wave for batch in typed.batches] == [1, 2]
    assert (both.name_prefix, both.batches[0].description) == ("crm", "text")


def test_the_template_is_a_file_of_options_that_says_nothing(shell, tmp_path):
    """It is written to the standard output, and read back it is taken."""
    template = shell("options", "--template")
    (tmp_path / "job.yaml").write_text(template.stdout)
    read = shell("options", "job.yaml")

    assert (template.returncode, read.returncode, json.loads(read.stdout)) == (0, 0, {})
    assert "#batch_limit: 5" in template.stdout


@pytest.mark.slow
def test_a_list_with_the_cloud_and_a_pause_that_is_carried_on(shell, tmp_path):
    """The list says which, the cloud the facts; a paused run is carried on from another shell to its end."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=600) as sandbox:
        here = sandbox.environment()

        async def eligible():
            async with sandbox.connect() as cloud:
                found = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud)).verdicts
                return found.loc[found["verdict"].eq("eligible") & found["group_id"].notna(), "server_id"].head(3)

        ids = loop.wait(eligible()).tolist()
        lines = [f"{each},li,az-{at}\n" for at, each in enumerate(ids)]
        (tmp_path / "list.csv").write_text("Server ID,Owner,AZ\n" + "".join(lines))
        checked = shell("check", "list.csv", "--with-cloud", "--json", **here)
        made = shell("plan", "list.csv", "--with-cloud", "--batch-limit", "1", "--json", **here)
        plan = json.loads(made.stdout)
        sandbox.set_speed(0)
        words = ("submit", "plan.json", "--approve", plan["fingerprint"], "--on-failure", "stop", "--enable-protection")
        with shell(*words, "--pace", "patience_s=1", wait=False, **here) as sent:
            run_id = next(line.split()[-1] for line in sent.stderr if line.startswith("Run "))
            paused = shell("control", run_id, "pause", **here)
            sent.communicate(timeout=60)
        sandbox.set_speed(600)
        carried = shell("control", run_id, "carry-on", **here)

    assert {row["server_id"] for row in json.loads(checked.stdout)} == set(ids)
    assert "Reading, passed over: Owner, AZ → what the cloud says is used" in checked.stderr
    assert checked.stderr.count(": the list says az-") == 3
    assert {done.what for done in sdrs_nb.Plan.load(tmp_path / "plan.json").reading} == {"passed over", "differs"}
    assert (paused.returncode, sent.returncode, carried.returncode) == (0, 4, 0), carried.stderr
    counts = sdrs_nb.open_run(run_id).counts
    assert counts["protected"] + counts["in sync"] == 3
