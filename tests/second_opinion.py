"""A second opinion on eligibility: the eligibility facts once more, in plain loops over rows.

It shares no code with the rules of the package: where both read the facts alike they agree, and where they do not,
one of them misread.  ``python -m tests.second_opinion --verdicts 20000`` compares them over random estates.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sdrs_nb.models import BatchOptions
from tests.opinions import open_points
from tests.opinions.cluster_rules import cluster_rules
from tests.opinions.facts import Case, Estate, Question, Row, Said
from tests.opinions.group_rules import fits, group_rules, no_group_fits
from tests.opinions.placement_rules import placement_rules, request_rules, room_rules
from tests.opinions.server_rules import server_rules
from tests.opinions.volume_rules import volume_rules

__all__ = ["Opinion", "verdicts"]

#: In one group: rules that block, rules that are undecided, rules that warn.
View = tuple[frozenset[str], frozenset[str], frozenset[str]]


class Opinion(NamedTuple):
    """Verdict, rules that block, rules that would block and could not be decided, rules that warn.

    ``warning`` is None where several groups fit, or none: there is no one group of which to warn.
    """

    verdict: str
    blocking: frozenset[str]
    unknown: frozenset[str]
    warning: frozenset[str] | None


def verdicts(
    frames: Mapping[str, list[dict[str, Any]]],
    unread: Mapping[str, Collection[str]],
    loaded: Collection[str],
    options: BatchOptions,
    profile: str,
    batch_limit: int,
    group_id: str | None = None,
    selected: Collection[str] | None = None,
    caller_user_id: str | None = None,
    partial: Collection[str] = (),
) -> dict[str, Opinion]:
    """Return the opinion on every server that was asked about, by server id.

    Parameters
    ----------
    frames
        Rows of the inventory's frames, columns as in ``sdrs_nb.tables``; None is an empty cell.
    unread
        Columns of a frame that were not read.
    loaded
        Frames that were read whole.
    options, group_id, selected, caller_user_id
        What was asked; ``selected`` None asks about every server.
    profile, batch_limit
        Profile of the site, and how many servers one request takes.
    partial
        Frames of which a part was read: its rows count, and nothing is missing for not being among them.
    """
    asked = None if selected is None else frozenset(selected)
    judge = _Judge(
        Estate(frames, unread, loaded, partial),
        Question(options, profile, batch_limit, group_id, asked, caller_user_id),
    )
    servers = judge.estate.servers if asked is None else asked
    return {server_id: judge.opinion(server_id) for server_id in sorted(servers)}


class _Judge:
    def __init__(self, estate: Estate, question: Question) -> None:
        self.estate, self.question = estate, question
        self._said: dict[tuple[str, str | None], list[Said]] = {}

    def opinion(self, server_id: str) -> Opinion:
        if server_id not in self.estate.servers:
            missing = frozenset({"S1"})
            if self.estate.is_loaded("servers"):
                return Opinion("blocked", missing, frozenset(), None)
            return Opinion("unknown", frozenset(), missing, None)
        groups = self._groups(server_id)
        views = [self._view(server_id, group) for group in groups]
        blocking = frozenset[str]()
        if all(view[0] for view in views):
            blocking = views[0][0] if len(views) == 1 else self._blocking_in_all(server_id, groups)
        certain = [view for view in views if not view[0] and not view[1]]
        open_to_it = [view for view in views if not view[0]] or views
        unknown = frozenset[str]() if certain else frozenset[str]().union(*(view[1] for view in open_to_it))
        warned = bool(certain) and all(any(_counts(rule) for rule in view[2]) for view in certain)
        warnings = views[0][2] if len(views) == 1 and groups != [None] else None
        stopping = self._stopping(server_id)
        return Opinion(_verdict(blocking | stopping, unknown, warned=warned), blocking, unknown, warnings)

    def _stopping(self, server_id: str) -> frozenset[str]:
        """Return what stops every request with these options."""
        case = self._case(server_id, None)
        said = [*request_rules(case), *placement_rules(case)]
        return frozenset(rule for rule, _severity, claim in said if rule in open_points.TOLD_ONCE and claim is True)

    def _blocking_in_all(self, server_id: str, groups: list[Row | None]) -> frozenset[str]:
        """Return what blocks a server that several groups fit: its own reasons, and those that each group has (G14).

        G14 speaks of "a server or cluster", so a group refuses when it refuses one that shared volumes tie to it.
        """
        own = self._view(server_id, None)[0]
        if None in groups:
            return own
        present = sorted(self.estate.component(server_id) & set(self.estate.servers))
        anyway = frozenset[str]().union(own, *(_blocking(self._companion(other, None)) for other in present))
        refused = [
            self._view(server_id, group)[0].union(*(_blocking(self._companion(other, group)) for other in present))
            for group in groups
        ]
        if open_points.CLOSED_GROUPS_ARE_NO_CHOICE:
            refused = [blocking for blocking in refused if not blocking & {"G2", "G4", "G5"}] or refused
        reasons = [blocking - anyway for blocking in refused]
        return own.union({"G14"}, *(reasons if all(reasons) else ()))

    def _groups(self, server_id: str) -> list[Row | None]:
        """Return the group that was chosen, else those that fit; None stands for one that may, or where none does."""
        groups = self.estate.rows("groups")
        if self.question.group_id is not None:
            return [group for group in groups if group["group_id"] == self.question.group_id]
        fitting: list[Row | None] = [group for group in groups if fits(self._case(server_id, group)) is True]
        return [*fitting, None] if not fitting or self._some_group_may_fit(server_id) else fitting

    def _some_group_may_fit(self, server_id: str) -> bool:
        groups = self.estate.rows("groups")
        may_fit = any(fits(self._case(server_id, group)) is None for group in groups)
        return may_fit or not self.estate.is_loaded("groups")

    def _fits_nowhere(self, server_id: str) -> bool:
        return self._groups(server_id) == [None] and not self._some_group_may_fit(server_id)

    def _view(self, server_id: str, group: Row | None) -> View:
        """Return which rules block, which are undecided and which warn, in this group."""
        case = self._case(server_id, group)
        said = [*self._alone(server_id, group), *self._of_cluster(case)]
        blocking = _blocking(said)
        unknown = frozenset(rule for rule, severity, claim in said if severity == "B" and claim is None)
        warning = frozenset(rule for rule, severity, claim in said if severity == "W" and claim is True)
        return blocking, unknown - blocking, warning

    def _of_cluster(self, case: Case) -> list[Said]:
        said = cluster_rules(case, lambda other: self._owner(other, case.group))
        return [self._unless_partial(one) for one in said]

    def _owner(self, server_id: str, group: Row | None) -> list[Said]:
        """Return what the rules say of an owner; where each group that fits it refuses it, so much is certain (H4)."""
        own = self._groups(server_id)
        is_refused = group is None and all(_blocking(self._alone(server_id, other)) for other in own)
        return self._alone(server_id, own[0]) if is_refused else self._companion(server_id, group)

    def _unless_partial(self, said: Said) -> Said:
        """Take a rule as undecided that does not fire and looks at a frame of which only a part was read."""
        rule, severity, claim = said
        partial = any(self.estate.is_partial(frame) for frame in open_points.LOOKS_AT.get(rule, ()))
        return (rule, severity, None) if claim is False and partial else said

    def _alone(self, server_id: str, group: Row | None) -> list[Said]:
        """Return what the rules say that look at one server at a time."""
        key = (server_id, group["group_id"] if group else None)
        if key not in self._said:
            case = self._case(server_id, group)
            said = [
                *server_rules(case),
                *volume_rules(case),
                *(no_group_fits(case) if group is None and self._fits_nowhere(server_id) else group_rules(case)),
                *request_rules(case),
                *placement_rules(case),
                *room_rules(case, self.estate.component(server_id)),
            ]
            silent = open_points.TOLD_OF_THE_REQUEST | open_points.TOLD_ONCE
            silent |= frozenset() if group else open_points.NEED_A_GROUP
            self._said[key] = [self._unless_partial(one) for one in said if one[0] not in silent]
        return self._said[key]

    def _companion(self, server_id: str, group: Row | None) -> list[Said]:
        """Return what the rules say of a server that is tied to one in this group.

        Where no group was chosen and this one is not among the companion's own, H9 or H10 say that it is elsewhere,
        and it is judged where it is.
        """
        own = self._groups(server_id)
        if group in own or (group is None and len(own) > 1):
            return self._alone(server_id, group)
        return min(
            (self._alone(server_id, other) for other in own), key=lambda said: sum(one[2] is True for one in said)
        )

    def _case(self, server_id: str, group: Row | None) -> Case:
        return Case(self.estate, self.question, server_id, group)


def _blocking(said: list[Said]) -> frozenset[str]:
    return frozenset(rule for rule, severity, claim in said if severity == "B" and claim is True)


def _counts(rule: str) -> bool:
    """Tell whether a warning is the server's own, so that its verdict shows it."""
    return not rule.startswith(("G", "Q", "P")) or rule in open_points.OF_ONE_SERVER


def _verdict(blocking: frozenset[str], unknown: frozenset[str], *, warned: bool) -> str:
    """Return the strongest verdict that applies."""
    ranks = (
        ("protected", "S4" in blocking),
        ("not a candidate", bool(blocking & {"S5", "S6"})),
        ("blocked", bool(blocking)),
        ("unknown", bool(unknown)),
        ("warning", warned),
    )
    return next((verdict for verdict, applies in ranks if applies), "eligible")


if __name__ == "__main__":
    from tests.opinions.comparison import main

    raise SystemExit(main())
