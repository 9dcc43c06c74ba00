"""Asking for what fired, for the tests of this folder."""

from collections.abc import Mapping
from typing import Any

from sdrs_nb.eligibility.eligibility import Eligibility, check_eligibility
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import BatchOptions
from sdrs_nb.rulebook import load_rulebook
from tests.builders import a_server, a_volume, an_attachment, an_inventory

SERVER = "server-1"


def severity_of(rule: str, eligibility: Eligibility, server_id: str = SERVER) -> str | None:
    """Return the severity with which a rule fired for a server; None when it did not."""
    found = eligibility.findings_of(server_id)
    hit = found["severity"][found["rule"] == rule].tolist()
    assert len(hit) <= 1
    return hit[0] if hit else None


def verdict_of(eligibility: Eligibility, server_id: str = SERVER) -> str:
    """Return the verdict of a server."""
    return str(eligibility.verdicts.set_index("server_id")["verdict"][server_id])


def judge(inventory: Inventory | None = None, *, profile: str = "huaweicloud", **given: Any) -> Eligibility:
    """Check an inventory, by default one with a single server in order."""
    return check_eligibility(inventory or an_inventory(), rulebook=load_rulebook(profile), **given)


def with_server(**overrides: Any) -> Inventory:
    """Return an inventory with one server that differs in these columns."""
    return an_inventory(servers=[a_server(SERVER, **overrides)])


def with_volume(frames: Mapping[str, Any] | None = None, **overrides: Any) -> Inventory:
    """Return an inventory with one server that has a data volume which differs in these columns."""
    return an_inventory(
        servers=[a_server(SERVER)],
        volumes=[a_volume("data-1", **overrides)],
        attachments=[an_attachment(SERVER, "data-1")],
        **(frames or {}),
    )


def options(**given: Any) -> BatchOptions:
    """Return batch options."""
    return BatchOptions(**given)
