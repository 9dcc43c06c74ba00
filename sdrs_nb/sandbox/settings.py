"""Every choice the documents leave open, as one frozen record: what the sandbox assumes and a test may switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROFILES = ("huaweicloud", "huaweicloud-2025", "otc")


#: What a site does otherwise than the first.
_OF_PROFILE: Mapping[str, Mapping[str, Any]] = {
    # Newest mainland page of batch create: servers must not carry shared disks.
    "huaweicloud-2025": {"shared_volumes": "refused"},
    "otc": {
        "batch_available": False,
        "placement_fields": False,
        "chinese_names": False,
        # OTC user guide: local disks, GPU/FPGA, Kunpeng, InfiniBand and the newest generations.
        "refused_families": frozenset({"baremetal", "local", "accelerator", "arm64", "infiniband", "generation"}),
        "refused_volume_types": frozenset({"ESSD", "ESSD2"}),
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The assumed behaviour of the cloud, one named setting a choice.

    "doc" marks a documented value that a tenant may have raised; everything else is a choice of ours and lives
    here so that it can be changed in one place.
    Times ending in ``_s`` are cloud seconds unless the comment says wall seconds.
    """

    profile: str = "huaweicloud"
    # What was switched by --assume, as NAME=VALUE; the switches set the fields below.
    assumed: tuple[str, ...] = ()
    region: str = "sandbox-1"

    # Batch create page, table 1: "at most 5 servers by default" (doc).
    batch_limit: int = 5
    # Batch delete page: at most 20 instances by default (doc).
    batch_delete_limit: int = 20
    # SDRS.1358 exists, its number is published nowhere: no limit unless a test sets one.
    group_instance_limit: int | None = None
    # A group that takes no members: 1024 today, 1323, 1325 or 1002 at older sites; clients treat all four alike.
    group_status_code: str = "SDRS.1024"
    # User guide: at most five pairs that hang on no instance (1826).
    unattached_pair_limit: int = 5
    # Only five group-creations fit before 0305 unless raised; the quota page samples 50.
    group_quota: int = 50
    # None: three pairs per server of the estate and at least 100, so that all that is acceptable fits.
    pair_quota: int | None = None
    # User guide of OTC: 12 network interfaces including the primary one (1340).
    max_nics: int = 12
    # 1336/1337 are site dependent refusals; off means extension NICs are supported here.
    extension_nics_supported: bool = True

    # The batch page says "at most 64" without a minimum; a newer page says 1-64.
    empty_description_refused: bool = False
    # Which flavor families 1356 refuses; no mainland page publishes a list.
    refused_families: frozenset[str] = frozenset({"baremetal"})
    # Volume types 1806 refuses although they are sold, beside every type that is not sold at all.
    refused_volume_types: frozenset[str] = frozenset()
    # "closed" = the customer's page: shared volumes are fine when every owner is listed; "refused" = newest page.
    shared_volumes: str = "closed"
    # No page gives the code with which shared volumes are refused (single create, newest batch page).
    shared_volume_code: str = "SDRS.1806"
    batch_available: bool = True
    deh_supported: bool = True
    dss_supported: bool = True
    # OTC's pages know no tenancy, dedicated_host_id and cluster_id: unknown fields are ignored.
    placement_fields: bool = True
    chinese_names: bool = True

    # How the mark after a name prefix counts: from 1 in each request, from 0, on through all requests, or unpadded.
    numbering: str = "per_request"
    # Sub-jobs stand in the order of the servers; a sub-job list may as well be turned round, or be missing.
    sub_job_order: str = "as_sent"
    sub_jobs_shown: bool = True
    # Fields that lists of instances leave out although the page shows them.
    left_out_of_instances: frozenset[str] = frozenset()
    # Whether a new DR server has tags, agency, security groups, ECS group and auto recovery of its production server.
    copies_settings: bool = True
    # A DR server without a flavor of its own has production's; else the next of the same family.
    same_flavor: bool = True
    # In which state a DR server is left.
    dr_state: str = "SHUTOFF"
    # How long after its job has ended an instance, and its pairs, still show that they are being made.
    instance_late_s: float = 0.0
    pairs_late_s: float = 0.0
    # Whether a parent job fails when one of its sub-jobs does.
    parent_fails: bool = True
    # Whether a failed instance stays in the list and keeps its server taken.
    failed_stays: bool = True

    # Which code a missing key pair gives inside the job: 1306 (server) or the general 1350 (instance).
    key_pair_code: str = "SDRS.1306"
    # The parent's job type is undocumented.
    batch_create_job_type: str = "batchCreateProtectedInstanceNoCG"
    batch_delete_job_type: str = "batchDeleteProtectedInstanceNoCG"
    # A job nobody knows: the code is undocumented.
    missing_job_code: str = "SDRS.0408"
    # How long one server of a batch takes: a seeded draw between the two.
    create_s: tuple[float, float] = (150.0, 180.0)
    # Every other job: a seeded draw between the two.
    job_s: tuple[float, float] = (40.0, 60.0)
    # INIT becomes RUNNING after one tick.
    tick_s: float = 1.0
    # The parent ends a little after its last sub-job, as in the documented examples.
    parent_lag_s: float = 0.033
    # First synchronization copies this much per pair and cloud second.
    sync_gib_per_s: float = 0.5
    # How long the estate's group in "starting" stays there.
    starting_group_s: float = 6 * 3600.0

    # IAM: a token is valid 24 h (doc); wall seconds, because clients compare it with their own clock.
    token_s: float = 24 * 3600.0
    # Signature: 15 minutes of skew, five bad ones in a row lock the key for five minutes (doc); wall seconds.
    skew_s: float = 900.0
    lock_after: int = 5
    lock_s: float = 300.0
    # Throttling is off; a number here is requests per wall second and caller, answered as the gateway words it.
    requests_per_second: int | None = None
    # Wall seconds every answer takes at least.
    latency_s: float = 0.0

    @classmethod
    def for_profile(cls, profile: str) -> "Settings":
        """Give the settings of one site profile.

        Parameters
        ----------
        profile
            ``huaweicloud``, ``huaweicloud-2025`` or ``otc``; see docs/how-to/connect.md.

        Raises
        ------
        ValueError
            The profile is none of the three.
        """
        if profile not in PROFILES:
            raise ValueError(f"Unknown profile {profile!r}; choose one of {', '.join(PROFILES)}.")
        return cls(profile=profile, **_OF_PROFILE.get(profile, {}))
