"""Rules of servers that tell what protection brings with it or what may fail later (S20-S36)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import UNPUBLISHED, Hits, where
from sdrs_nb.eligibility.registry import rule

__all__: list[str] = []

_DEFAULT_PROJECT = frozenset({"", "0"})


def _may_have_key(facts: Facts) -> BoolArray:
    """Servers with a key pair, every server where that was not read."""
    return facts.servers.coded("key_name").given | bool(facts.unread(["servers.key_name"]))


def _may_need_key(facts: Facts) -> BoolArray:
    """Servers that may have a key pair and whose system is Windows or not known."""
    system = facts.servers.coded("os_type")
    return _may_have_key(facts) & (system.isin({"Windows"}) | ~system.given)


def _linux_with_key(facts: Facts) -> BoolArray:
    return _may_have_key(facts) & facts.servers.coded("os_type").isin({"Linux"})


def _for_dedicated_host(facts: Facts) -> BoolArray:
    return np.full(len(facts.server_ids), facts.options.tenancy == "dedicated")


def _key_missing(facts: Facts) -> BoolArray:
    present = set(facts.frames.column("key_pairs", "name").dropna())
    return facts.servers.coded("key_name").where(lambda name: bool(name) and name not in present)


@rule("S22", concerns=_may_need_key, by_absence=True)
def windows_key_pair_exists(facts: Facts) -> Iterator[Hits]:
    """The key pair of a Windows server still exists (batch-create page, Constraints, sixth item)."""
    key, missing = facts.servers.coded("key_name"), _key_missing(facts)
    yield where(missing & facts.windows_with_key, key_name=key)
    yield where(missing & ~facts.servers.coded("os_type").given, lacking="servers.os_type", key_name=key)


@rule("S23", concerns=_may_need_key)
def windows_key_pair_is_ours(facts: Facts) -> Iterator[Hits]:
    """A user-scoped key pair serves only the user who made the server, and is invisible to everyone else."""
    key, maker = facts.servers.coded("key_name"), facts.servers.coded("user_id")
    caller = facts.frames.caller_user_id
    if not facts.loaded("key_pairs"):
        yield where(facts.windows_with_key, variant="not_loaded", key_name=key)
    elif not caller:
        yield where(facts.windows_with_key, lacking="about.caller_user_id", key_name=key)
    else:
        other = maker.given & ~maker.isin({caller})
        yield where(facts.windows_with_key & other, key_name=key, user_id=maker, caller=caller)
        yield where(facts.windows_with_key & ~maker.given, lacking="servers.user_id", key_name=key)


@rule("S24", concerns=_linux_with_key, by_absence=True)
def linux_key_pair(facts: Facts) -> Iterator[Hits]:
    """A Linux server can be protected without its key pair; the DR server then shows none."""
    key = facts.servers.coded("key_name")
    yield where(_key_missing(facts) & facts.servers.coded("os_type").isin({"Linux"}), key_name=key)


@rule("S25")
def made_by_scaling(facts: Facts) -> Iterator[Hits]:
    """Scale-in can no longer delete a protected server that a scaling group made (batch-create page, fifth item)."""
    yield _scaled(facts, facts.given("scaling_instances", "scaling_configuration_id"))


@rule("S26")
def added_to_scaling(facts: Facts) -> Iterator[Hits]:
    """A server that was added to a scaling group by hand is no creature of it."""
    yield _scaled(facts, ~facts.given("scaling_instances", "scaling_configuration_id"))


@rule("S27")
def scaling_read(facts: Facts) -> Iterator[Hits]:
    """Scaling groups were read; names are no proof of membership."""
    if not facts.loaded("scaling_instances"):
        yield where(facts.servers.known, lacking="scaling_instances")


@rule("S28")
def enterprise_project(facts: Facts) -> Iterator[Hits]:
    """The DR server does not join the server's enterprise project (batch-create page, Constraints, seventh item)."""
    project = facts.servers.coded("enterprise_project_id")
    yield where(project.where(lambda text: text not in _DEFAULT_PROJECT), enterprise_project_id=project)


@rule("S29")
def settings_stop_following(facts: Facts) -> Iterator[Hits]:
    """Seven settings stop following production (batch-create page, Constraints, eighth item)."""
    columns = ("hostname", "name", "security_groups", "agency_name", "ecs_group_id", "tags")
    present: dict[str, Any] = {name: facts.servers.raw(name) for name in columns}
    yield where(facts.servers.known, **present)


@rule("S30")
def same_name(facts: Facts) -> Iterator[Hits]:
    """The DR server gets production's name and another id (batch-create page, Function)."""
    yield where(facts.servers.known, name=facts.servers.raw("name"))


@rule("S20")
def few_nics(facts: Facts) -> Iterator[Hits]:
    """At most 12 NICs with the primary one; a NIC with several addresses counts once."""
    count, limit = facts.servers.numbers("nic_count"), facts.book.number("nics")
    yield where(count > limit, nic_count=facts.servers.raw("nic_count"), limit=limit)
    yield where(np.isnan(count), lacking="servers.nic_count")


@rule("S21")
def one_nic(facts: Facts) -> Iterator[Hits]:
    """Some sites refuse extension NICs; most take them."""
    count, limit = facts.servers.numbers("nic_count"), facts.book.number("nics")
    yield where((count > 1) & (count <= limit), nic_count=facts.servers.raw("nic_count"))


@rule("S31")
def not_yearly(facts: Facts) -> Iterator[Hits]:
    """Yearly/monthly billing stands in the way of later resizing and deleting."""
    billing = facts.servers.coded("billing")
    yield where(billing.isin({"yearly/monthly"}))
    yield where(~billing.given, lacking="servers.billing")


@rule("S32")
def not_spot(facts: Facts) -> Iterator[Hits]:
    """A spot server may be reclaimed at any time."""
    billing = facts.servers.coded("billing")
    yield where(billing.isin({"spot"}))
    yield where(~billing.given, lacking="servers.billing")


@rule("S33", concerns=_for_dedicated_host)
def no_ecs_group(facts: Facts) -> Iterator[Hits]:
    """A member of an ECS group cannot go to a dedicated host (single-create page, Constraints)."""
    group = facts.servers.coded("ecs_group_id")
    if facts.options.tenancy == "dedicated":
        yield where(group.given, ecs_group_id=group)
    else:
        yield where(group.given, variant="shared", ecs_group_id=group)


@rule("S34")
def not_on_dedicated_host(facts: Facts) -> Iterator[Hits]:
    """Production on a dedicated host: allowed at Huawei Cloud, forbidden at Open Telekom Cloud."""
    tenancy, host = facts.servers.coded("tenancy"), facts.servers.coded("dedicated_host_id")
    yield where(tenancy.isin({"dedicated"}) | host.given, dedicated_host_id=host)


@rule("S35")
def first_switchover(facts: Facts) -> Iterator[Hits]:
    """What the first switchover changes inside the system."""
    system, image = facts.servers.coded("os_type"), facts.servers.coded("image_name")
    windows, linux = system.isin({"Windows"}), system.isin({"Linux"})
    core = linux & image.where(lambda text: "coreos" in text.lower())
    suse = linux & ~core & image.where(lambda text: "suse" in text.lower())
    yield where(windows, variant="windows", image_name=image)
    yield where(core, variant="coreos", image_name=image)
    yield where(suse, variant="suse", image_name=image)
    yield where(linux & ~core & ~suse, image_name=image)
    yield where(~system.given, lacking="servers.os_type")


@rule("S36")
def system_supported(facts: Facts) -> Iterator[Hits]:
    """Neighbouring documents speak of a list of supported systems that is not published."""
    image, refused = facts.servers.coded("image_name"), facts.book.names("unsupported_images")
    hit = image.where(lambda text: any(part.lower() in text.lower() for part in refused))
    yield where(hit, variant="refused", image_name=image)
    yield where(facts.servers.known & ~hit, lacking=UNPUBLISHED, image_name=image)


def _scaled(facts: Facts, chosen: BoolArray) -> Hits:
    return facts.by_rows(
        "scaling_instances",
        facts.scaling,
        chosen,
        scaling_group="scaling_group_name",
        scaling_group_id="scaling_group_id",
    )
