"""Who may say that a plan is sent: one person, or several different ones where the plan asks for that.

A plan made with ``approvals_needed=2`` is refused until two different persons have signed its fingerprint::

    approval = approve(plan, "li")
    approval = approve(plan, "chen", after=approval)
    run = await sdrs_nb.submit(cloud, plan, approve=approval)

Between persons an approval travels as a small JSON file (``save_approval``, ``load_approval``).  It is a record of
who said what, not a signature in the sense of cryptography.
"""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sdrs_nb.asked import checked
from sdrs_nb.errors import PlanError
from sdrs_nb.home import operator_name
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.intake.documents import json_of
from sdrs_nb.intake.files import read_file, told
from sdrs_nb.intake.limits import UnreadableError
from sdrs_nb.models import Approval, SignOff
from sdrs_nb.planning.freezing import write_file
from sdrs_nb.planning.plans import Plan

__all__ = ["MOST_APPROVALS", "approval_of", "approval_problems", "approve", "load_approval", "save_approval", "signers"]

#: More persons than this nobody means.
MOST_APPROVALS = 9


def approval_problems(approvals_needed: int) -> Iterator[str]:
    """Say what is wrong with a number of approvals."""
    if not 1 <= approvals_needed <= MOST_APPROVALS:
        yield _(
            "A plan cannot need {count} approvals. Give approvals_needed a number from 1 to {most}.",
            count=approvals_needed,
            most=MOST_APPROVALS,
        )


def signers(approval: Approval) -> tuple[SignOff, ...]:
    """Return everybody who signed, in order; a word without a name counts for nobody where several are needed."""
    first = SignOff(who=approval.who, when=approval.when)
    return (first, *approval.cosigned)


@checked
def approve(plan: Plan, who: str, *, after: Approval | None = None, when: datetime | None = None) -> Approval:
    """Return the approval of ``plan`` with one more person's word.

    Parameters
    ----------
    plan
        What is approved: exactly this plan, by its fingerprint.
    who
        The person's name; upper and lower case make no difference.
    after
        The approval that others gave before.
    when
        The time of the word, aware; now when left out.

    Raises
    ------
    PlanError
        No name, the same person again, or ``after`` is about another plan.

    Notes
    -----
    Pure: neither network nor disk.
    """
    if not _person(who):
        raise PlanError(_("An approval needs a name. Say who approves the plan."))
    moment = when or datetime.now(UTC)
    if after is None:
        return Approval(
            fingerprint=plan.fingerprint, who=who, when=moment, declared=plan.declared, warnings=plan.warnings
        )
    _refuse_other_plan(plan, after)
    if _person(who) in {_person(each.who) for each in signers(after)}:
        raise PlanError(_("{who} has approved this plan already. Another person must give the next approval.", who=who))
    return after.model_copy(update={"cosigned": (*after.cosigned, SignOff(who=who, when=moment))})


def approval_of(plan: Plan, given: str | Approval) -> Approval:
    """Return the approval to record with a run of ``plan``, or refuse to send it.

    ``given`` is the plan's fingerprint, which is the word of the user of this machine, or an ``Approval``.

    Raises
    ------
    PlanError
        It names another plan, names one person twice, or fewer persons gave it than the plan needs.
    """
    approval = (
        given
        if isinstance(given, Approval)
        else Approval(fingerprint=given, who=operator_name(), declared=plan.declared, warnings=plan.warnings)
    )
    _refuse_other_plan(plan, approval)
    people = [_person(each.who) for each in signers(approval) if _person(each.who)]
    if twice := [each.who for each in signers(approval) if people.count(_person(each.who)) > 1]:
        raise PlanError(_("{who} stands twice in the approval. Have another person approve the plan.", who=twice[0]))
    if plan.approvals_needed > 1 and len(people) < plan.approvals_needed:
        raise PlanError(
            ngettext_(
                "Plan {fingerprint} needs {needed} persons' approval and {count} has given it ({who}). Have another "
                "person approve it: approve(plan, name, after=approval).",
                "Plan {fingerprint} needs {needed} persons' approval and {count} have given it ({who}). Have another "
                "person approve it: approve(plan, name, after=approval).",
                len(people),
                fingerprint=plan.fingerprint[:12],
                needed=plan.approvals_needed,
                who=", ".join(each.who for each in signers(approval) if each.who) or "-",
            )
        )
    return approval


@checked
def save_approval(approval: Approval, path: str | Path) -> Path:
    """Write ``approval`` to ``path`` as JSON for the next person, and return the path.

    Raises
    ------
    PlanError
        The file cannot be written.
    """
    return write_file(Path(path), (approval.model_dump_json(indent=1) + "\n").encode())


@checked
def load_approval(path: str | Path) -> Approval:
    """Return the approval that ``save_approval`` wrote to ``path``.

    Raises
    ------
    PlanError
        The file cannot be read or holds no approval.
    """
    try:
        return Approval.model_validate(json_of(read_file(path, "settings_bytes").decode()))
    except UnreadableError as error:
        raise PlanError(str(error)) from None
    except OSError as error:
        raise PlanError(_("The approval {path} cannot be read: {reason}.", path=path, reason=told(error))) from error
    except ValueError:  # no UTF-8, no JSON, or not these fields
        raise PlanError(_("{path} holds no approval. Give a file that save_approval wrote.", path=path)) from None


def _refuse_other_plan(plan: Plan, approval: Approval) -> None:
    if approval.fingerprint != plan.fingerprint:
        raise PlanError(
            _(
                "The approval names plan {approved}, but this plan is {fingerprint}. Review this plan and approve its "
                "own fingerprint.",
                approved=approval.fingerprint or "''",
                fingerprint=plan.fingerprint,
            )
        )


def _person(who: str) -> str:
    return unicodedata.normalize("NFKC", who).strip().casefold()
