"""Why an account's deals need attention, each reason once with how many there are.

The newest that wait for a person are read in one walk and told apart here: a question for each
reason would cost as many walks. A reason that none of them has is asked for by itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.errors import Problem
from server.core.states import Group, JobState
from server.store import activity_entries
from server.store import activity_groups as groups
from server.store.activity import APART, Filter, page
from server.store.activity_counts import MOST, Count, count_of
from server.store.activity_entries import Entry
from server.store.activity_groups import JOB
from server.store.activity_walks import walk

READ = 1000  # of those that wait for a person, the newest
PROBLEMS = "problems"  # the cause of jobs whose sale cannot be billed


@dataclass(frozen=True)
class Cause:
    """Entries that need attention for the same reason, and the newest one's words. ``key`` is what
    ``Filter.cause`` takes; ``field``: the mapping key of a problem ("lines.*.tax")."""

    key: str
    cause: str
    field: str
    count: Count
    said: str
    problem: Problem | None
    at: datetime


def causes(session: Session, account_id: int) -> list[Cause]:
    """The most frequent first. Those whose sale has problems are told apart by the problem's field;
    an entry with two problems counts under both. Where more than ``READ`` wait for a person, a
    count is at least so many."""
    bound = {"account_id": account_id, "most": READ + 1}
    rows = session.connection().execute(_newest(), bound).all()
    cut = len(rows) > READ
    counted, newest = _told_apart(rows[:READ])
    entries = activity_entries.of_jobs(session, sorted(set(newest.values())))
    found = [
        _cause(key, Count(min(n, MOST), cut or n > MOST), entries[newest[key]])
        for key, n in counted.items()
    ]
    alone = [*groups.UNDECIDED]
    if cut:
        names = session.connection().execute(_every(), {"account_id": account_id}).scalars()
        alone += [one for one in names if one not in counted and one != PROBLEMS]
    for name in alone:
        found += _asked_for(session, account_id, name)
    return sorted(found, key=lambda one: (-one.count.n, one.key))


def _told_apart(rows: Iterable[Any]) -> tuple[Counter[str], dict[str, int]]:
    """How often each key is there, and which job is the newest with it."""
    counted: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for job_id, cause, problems in rows:
        for key in _keys(problems) if cause == PROBLEMS else (cause,):
            counted[key] += 1
            newest.setdefault(key, job_id)
    return counted, newest


def _keys(problems: Sequence[dict[str, Any]]) -> set[str]:
    return {f"{PROBLEMS}{APART}{plain_field(problem['field'])}" for problem in problems}


def plain_field(field: str) -> str:
    """ "lines.2.tax" is "lines.*.tax": one cause, whichever the line."""
    return ".".join("*" if part.isdecimal() else part for part in field.split("."))


def _cause(key: str, count: Count, entry: Entry) -> Cause:
    cause, _, field = key.partition(APART)
    problem = next((one for one in entry.problems if plain_field(one.field) == field), None)
    said = str(problem) if problem else entry.said
    return Cause(key, cause, field, count, said, problem, entry.at)


def _asked_for(session: Session, account_id: int, cause: str) -> list[Cause]:
    """None where all of them stand under a stronger cause of the same deals."""
    wanted = Filter(Group.ATTENTION, cause=cause)
    newest = page(session, account_id, wanted, most=1).entries
    if not newest:
        return []
    return [_cause(cause, count_of(session, account_id, wanted), newest[0])]


@cache
def _newest() -> sa.Select[Any]:
    """Those that stand for their deals."""
    return walk(groups.PARKED, frozenset()).with_only_columns(JOB.c.id, JOB.c.cause, JOB.c.problems)


@cache
def _every() -> sa.Select[Any]:
    """Each cause once: from one to the next by index, not by all that have it."""
    parked = (
        JOB.c.account_id == sa.bindparam("account_id"),
        groups.is_one(JOB.c.state, JobState.PARKED),
    )
    least = sa.select(sa.func.min(JOB.c.cause))
    first = least.where(*parked).scalar_subquery().label("cause")
    found = sa.select(first).cte("causes", recursive=True)
    after = least.where(*parked, JOB.c.cause > found.c.cause).scalar_subquery()
    found = found.union_all(sa.select(after).where(found.c.cause.is_not(None)))
    return sa.select(found.c.cause).where(found.c.cause.is_not(None))
