"""Where each service is reached."""

from collections.abc import Mapping

from sdrs_nb.settings import DEFAULT_CLOUD_HOST, Settings

__all__ = ["SERVICES", "origin_of"]

#: Our name of a service -> first part of its host; the key-pair service lives on the host of KMS (cloud-apis 1).
SERVICES: Mapping[str, str] = {
    "iam": "iam",
    "ecs": "ecs",
    "evs": "evs",
    "vpc": "vpc",
    "kps": "kms",
    "deh": "deh",
    "dss": "dss",
    "autoscaling": "as",
    "eps": "eps",
    "sdrs": "sdrs",
}


def origin_of(service: str, settings: Settings) -> str:
    """Return scheme and host of ``service``: its override, else the one endpoint, else region and cloud host."""
    if origin := settings.endpoints.get(service) or settings.endpoint:
        return origin.rstrip("/")
    name = SERVICES[service]
    if service == "eps" and settings.cloud_host == DEFAULT_CLOUD_HOST:  # one global service there (cloud-apis 10)
        return f"https://{name}.{settings.cloud_host}"
    return f"https://{name}.{settings.region}.{settings.cloud_host}"
