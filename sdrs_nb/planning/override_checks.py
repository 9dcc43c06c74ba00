"""What keeps the values of an override from being sent, told before anything is planned."""

from collections.abc import Collection, Mapping

from sdrs_nb.i18n import _
from sdrs_nb.models import BatchOptions
from sdrs_nb.payloads.batch import prefix_problems
from sdrs_nb.payloads.requests import batch_problems
from sdrs_nb.planning.batch_keys import FIELDS, BatchKey, read_value
from sdrs_nb.planning.inputs import Loaded, objects

__all__ = ["flavors_on_offer", "override_problems"]


def flavors_on_offer(inventory: Loaded) -> list[str]:
    """Return the flavors that a plan of this inventory may name, sorted: those of its servers and those on sale."""
    found = set(objects(inventory.servers["flavor_id"].dropna()))
    if (listed := getattr(inventory, "flavors", None)) is not None:
        found |= set(objects(listed["flavor_id"].dropna()))
    return sorted(found)


def override_problems(
    values: Mapping[str, str], options: BatchOptions, known_flavors: Collection[str]
) -> dict[str, str]:
    """Return a sentence for each field of one override that no request could carry; empty when all is well.

    Parameters
    ----------
    values
        Texts by field (``batch_keys.FIELDS``); ``""`` takes the value away, which is wrong for no field but a wave.
        The fields count together, so a dedicated host goes with the tenancy given beside it.
    options
        What all requests share, and what counts for fields that ``values`` does not name.
    known_flavors
        Flavors that may be named, see ``flavors_on_offer``.
    """
    found: dict[str, str] = {}
    key = BatchKey(
        1, "group", "-", options.cluster_id, options.primary_subnet_id, options.tenancy, options.dedicated_host_id,
        options.tags or (), options.description,
    )  # fmt: skip
    said = set(_problems(key))
    # The tenancy comes before the host that hangs on it: what a field adds to the problems is that field's.
    for name in sorted(values.keys() & set(FIELDS), key=FIELDS.index):
        problems: list[str] = []
        value = read_value(name, values[name], problems)
        if name == "name_prefix":
            problems += prefix_problems(value) if value else ()
        elif name == "flavor_id":
            problems += _unknown_flavor(value, known_flavors)
        elif name != "wave":
            key = BatchKey(**{**key._asdict(), name: value or (() if name == "tags" else None)})
            problems += [one for one in _problems(key) if one not in said]
        said.update(problems)
        if problems:
            found[name] = " ".join(problems)
    return found


def _problems(key: BatchKey) -> list[str]:
    return batch_problems(key.batch("override", ("server",), {}))


def _unknown_flavor(flavor: str, known: Collection[str]) -> list[str]:
    if not flavor or flavor in known:
        return []
    return [_("No flavor {flavor} is known to this inventory. Choose one that is offered.", flavor=flavor)]
