"""How others call what we look for: variables and keys of the vendor's SDK, its Terraform provider, OpenStack's tools.

Data only.  Of several spellings the first that is set counts; the others are told where they say something else.
"""

import re
from collections.abc import Mapping
from typing import Any

__all__ = [
    "CLOUDS_YAML", "CREDENTIALS", "CREDENTIALS_FILE", "FIELDS", "LOGIN", "SETS", "TUNING", "VARIABLES", "VENDORS",
    "is_telling",
]  # fmt: skip

Names = Mapping[str, tuple[str, ...]]

#: What a place can hold, by our names.
FIELDS = (
    *("endpoint", "region", "cloud_host", "auth_url", "ca_file", "project_id", "project_name", "domain", "domain_id"),
    *("access_key", "secret_key", "security_token", "user", "password", "token"),
)
#: Complete sets of credentials, the plainest word of the operator first.
SETS = (("token",), ("access_key", "secret_key"), ("user", "password"))
LOGIN = SETS[-1]
#: What credentials are made of.
CREDENTIALS = (*(name for names in SETS for name in names), "security_token")
#: Limits and waiting times, of SDRS_NB_* only.
TUNING = ("timeout_s", "connect_timeout_s", "attempts", "parallel", "page_size", "language")

#: Family of variables -> our name -> variables.  SDRS_NB_* is regular: the field in capitals.
VARIABLES: Mapping[str, Names] = {
    "SDRS_NB_*": {name: (f"SDRS_NB_{name.upper()}",) for name in FIELDS},
    "HUAWEICLOUD_SDK_*": {
        "access_key": ("HUAWEICLOUD_SDK_AK",),
        "secret_key": ("HUAWEICLOUD_SDK_SK",),
        "security_token": ("HUAWEICLOUD_SDK_SECURITY_TOKEN",),
        "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID",),
        "domain_id": ("HUAWEICLOUD_SDK_DOMAIN_ID",),
        "auth_url": ("HUAWEICLOUD_SDK_IAM_ENDPOINT",),
    },
    "HW_*": {
        "access_key": ("HW_ACCESS_KEY",),
        "secret_key": ("HW_SECRET_KEY",),
        "security_token": ("HW_SECURITY_TOKEN",),
        "user": ("HW_USER_NAME",),
        "password": ("HW_USER_PASSWORD",),
        "domain": ("HW_DOMAIN_NAME",),
        "domain_id": ("HW_DOMAIN_ID",),
        "token": ("HW_AUTH_TOKEN",),
        "project_id": ("HW_PROJECT_ID",),
        "project_name": ("HW_PROJECT_NAME",),
        "region": ("HW_REGION_NAME", "HW_REGION"),
        "cloud_host": ("HW_CLOUD",),
        "auth_url": ("HW_AUTH_URL",),
    },
    "OS_*": {
        "access_key": ("OS_ACCESS_KEY",),
        "secret_key": ("OS_SECRET_KEY",),
        "security_token": ("OS_SECURITY_TOKEN",),
        "user": ("OS_USERNAME",),
        "password": ("OS_PASSWORD",),
        "domain": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME", "OS_DEFAULT_DOMAIN"),
        "domain_id": ("OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID"),
        "token": ("OS_TOKEN", "OS_AUTH_TOKEN"),
        "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
        "project_name": ("OS_PROJECT_NAME", "OS_TENANT_NAME"),
        "region": ("OS_REGION_NAME", "OS_REGION"),
        "auth_url": ("OS_AUTH_URL",),
        "ca_file": ("OS_CACERT",),
    },
}

#: Our name -> keys of an entry of clouds.yaml, inside ``auth`` or beside it; a hyphen counts as an underscore.
CLOUDS_YAML: Names = {
    "access_key": ("ak", "access_key"),
    "secret_key": ("sk", "secret_key"),
    "security_token": ("security_token",),
    "user": ("username", "user_name"),
    "password": ("password",),
    "domain": ("user_domain_name", "domain_name", "project_domain_name", "default_domain"),
    "domain_id": ("user_domain_id", "domain_id", "project_domain_id"),
    "token": ("token", "auth_token"),
    "project_id": ("project_id", "tenant_id"),
    "project_name": ("project_name", "tenant_name"),
    "region": ("region_name", "region"),
    "auth_url": ("auth_url",),
    "ca_file": ("cacert",),
}

#: Our name -> keys of a section of the vendor SDK's credentials file.
CREDENTIALS_FILE: Names = {
    "access_key": ("ak",),
    "secret_key": ("sk",),
    "security_token": ("security_token",),
    "project_id": ("project_id",),
    "domain_id": ("domain_id",),
    "auth_url": ("iam_endpoint",),
}

#: What ``profile`` of an entry of clouds.yaml stands for, as entries have it.  Sources: vendor profile ``otc`` of
#: openstacksdk, which knows eu-de only; Open Telekom Cloud, "Regions and Endpoints", for the others.
VENDORS: Mapping[str, Mapping[str, Any]] = {
    "otc": {
        "auth_url": "https://iam.%(region_name)s.otc.t-systems.com/v3",
        "regions": ["eu-de", "eu-nl"],
    },
    "otc-swiss": {
        "auth_url": "https://iam-pub.%(region_name)s.sc.otc.t-systems.com/v3",
        "regions": ["eu-ch2"],
    },
}

# Read elsewhere, or of no consequence for which cloud is reached as whom.
_SILENT = frozenset({
    *(f"SDRS_NB_{name.upper()}" for name in (*TUNING, "home", "lang", "ledger", "profile", "sandbox")),
    "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
    *("OS_CLOUD", "OS_CLOUD_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_AUTH_TYPE"),
    *("OS_AUTH_VERSION", "OS_ENDPOINT_TYPE"),
    *("auth", "auth_type", "auth_version", "cloud", "endpoint_type", "image_format", "interface", "networks"),
    *("profile", "regions", "verify=True", "insecure=False"),
})  # fmt: skip
_VERSION = re.compile(r"(?i)(OS_)?[a-z_]*_api_(version|timeout)|identity_api_version")
# OS_ and HW_ are short prefixes: only what speaks of access is taken for ours.
_OF_ACCESS = re.compile(
    "TOKEN|KEY|PASS|USER|DOMAIN|PROJECT|TENANT|REGION|AUTH|CREDENTIAL|CERT|ENDPOINT|AGENCY|ROLE|IDP|INSECURE|CLOUD"
)


def is_telling(name: str, value: str) -> bool:
    """Tell whether a variable or key that nothing here reads may change which cloud is reached as whom."""
    if name in _SILENT or f"{name}={value}" in _SILENT or _VERSION.fullmatch(name):
        return False
    return bool(_OF_ACCESS.search(name)) if name.startswith(("OS_", "HW_")) else True
