"""The mirror of the rule of shared volumes for deleting (H17): instances of a shared pair are deleted together."""

from collections.abc import Collection, Iterator

import pandas as pd

from sdrs_nb.eligibility.rules.request import Case, Request, request_rule

__all__ = ["instances_to_add"]


def instances_to_add(replication_pairs: pd.DataFrame, instance_ids: Collection[str]) -> pd.DataFrame:
    """Return instances that a batch delete of ``instance_ids`` must list as well (error SDRS.1409).

    One row per shared pair and missing instance: ``replication_pair_id, protected_instance_id``.  Everything that is
    tied to one of them, directly or through others, is found.  Pure; ``replication_pairs`` as in ``tables``.
    """
    ties = [
        (str(pair), [one for one in str(listed).split(",") if one])
        for pair, listed in zip(
            replication_pairs["replication_pair_id"],
            replication_pairs["protected_instance_ids"].fillna(""),
            strict=True,
        )
    ]
    together = set(instance_ids)
    missing: dict[tuple[str, str], None] = {}
    grown = True
    while grown:
        grown = False
        for pair, instances in ties:
            new = [one for one in instances if one not in together] if together.intersection(instances) else []
            missing |= dict.fromkeys((pair, one) for one in new)
            together.update(new)
            grown = grown or bool(new)
    columns = ["replication_pair_id", "protected_instance_id"]
    return pd.DataFrame(sorted(missing), columns=columns, dtype="string")


@request_rule("H17")
def deleted_together(request: Request) -> Iterator[Case]:
    """Instances that are to be deleted are listed with every other instance of their shared pairs."""
    if request.facts is None or not request.deleting:
        return
    pairs = request.facts.frames["replication_pairs"]
    for row in instances_to_add(pairs, request.deleting).itertuples():
        yield Case({"pair": row.replication_pair_id, "instance": row.protected_instance_id})
