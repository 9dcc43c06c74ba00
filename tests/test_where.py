"""Cloud, region, project, user and sandbox, said alike everywhere."""

from dataclasses import dataclass

from sdrs_nb.cloud import connect
from sdrs_nb.where import Where


@dataclass
class _Identity:
    project_id: str = "p1"
    region: str = "eu-de"
    user_name: str = "ops"
    endpoint: str = "https://sdrs.eu-de.otc.t-systems.com"
    project_name: str = "eu-de_erp"
    cloud_host: str = "otc.t-systems.com"
    world: str = ""


def test_an_identity_is_told_whole():
    """Name and id of the project, the user, and that it is no sandbox."""
    told = str(Where.of_identity(_Identity()))

    assert told == "Cloud otc.t-systems.com, region eu-de, project eu-de_erp (p1), user ops; not a known sandbox."


def test_a_sandbox_is_named_by_its_world():
    """A machine reads it as a flag, a person as a word."""
    where = Where.of_identity(_Identity(world="w7"))

    assert str(where).endswith("; sandbox, world w7.")
    assert (where.document()["sandbox"], where.document()["world"]) == (True, "w7")


def test_a_record_of_an_older_version_knows_less():
    """The host comes from the endpoint; the rest stays empty."""
    where = Where.of_record({"endpoint": "http://127.0.0.1:80", "region": "r", "project_id": "p", "user_name": None})

    assert where == Where("127.0.0.1", "r", "p")


def test_settings_tell_what_they_can_before_the_cloud_is_asked():
    """Without an id the project is looked up by name, which is the region's by default."""
    key = {"access_key": "A", "secret_key": "S"}

    by_name = Where.of_settings(connect(region="eu-de", cloud_host="otc.t-systems.com", **key).settings)
    by_id = Where.of_settings(connect(endpoint="http://127.0.0.1:1", **key).settings, project_id="p9")

    assert (by_name.cloud_host, by_name.project) == ("otc.t-systems.com", "eu-de")
    assert (by_id.cloud_host, by_id.project) == ("127.0.0.1", "p9")
