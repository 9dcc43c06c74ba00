"""What ``--assume`` switches: each plays the service otherwise where documents are silent or sites differ."""

import pytest

from sdrs_nb.sandbox import Settings
from sdrs_nb.sandbox.__main__ import main, parser
from sdrs_nb.sandbox.journal import JournalMismatchError
from sdrs_nb.sandbox.switches import SWITCHES, assume


@pytest.fixture(name="site")
def _site(make_cloud):
    return make_cloud(settings=assume(Settings(), ["batch_calls=no"]))


async def test_a_site_without_batch_calls_refuses_them_at_the_gateway(site, code_of):
    """Batch create and batch delete are unknown paths there: 404, and nothing is made."""
    created = await site.batch(site.plain())
    deleted = await site.call("POST", "/v1/{p}/protected-instances/delete", {"protected_instances": []})

    assert [(answer.status_code, code_of(answer)) for answer in (created, deleted)] == [(404, "APIGW.0101")] * 2
    assert not any((await site.http.get("/_sandbox/world")).json()["creations"].values())


async def test_a_site_without_batch_calls_takes_single_creates(site):
    """The single call makes the instance."""
    (server,) = site.plain()
    body = {"server_group_id": site.group("pg-erp").id, "server_id": server, "name": "web"}

    answer = await site.call("POST", "/v1/{p}/protected-instances", {"protected_instance": body})

    assert answer.status_code == 200
    site.sandbox.advance(300)
    assert server in site.world.instance_by_server


def test_what_is_assumed_already_changes_nothing():
    """``yes`` is what the sandbox plays without the switch; the last word on a switch counts."""
    assert assume(Settings(), ["batch_calls=yes"]).batch_available
    assert assume(Settings(), ["batch_calls=no", "batch_calls=yes"]).batch_available


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("batches=no", "no switch 'batches'.*batch_calls"), ("batch_calls=maybe", "yes, no"), ("batch_calls", "yes, no")],
)
def test_an_unknown_switch_or_value_starts_nothing(wanted, told, capsys):
    """The sentence lists what there is, and the process leaves with 2."""
    with pytest.raises(ValueError, match=told):
        assume(Settings(), [wanted])

    assert main(["--assume", wanted]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_help_lists_every_switch_with_its_values_and_a_sentence():
    """What can be assumed is found without reading the source."""
    shown = parser().format_help()

    for name, switch in SWITCHES.items():
        assert f"{name}={'|'.join(switch.answers)}" in shown
        assert switch.about in shown


def test_a_kept_world_is_played_on_as_it_began(make_cloud, tmp_path):
    """A folder whose world was made under a switch is not opened without it."""
    make_cloud(5, settings=assume(Settings(), ["batch_calls=no"]), state=tmp_path)

    with pytest.raises(JournalMismatchError, match="batch_calls=no"):
        make_cloud(5, state=tmp_path)
