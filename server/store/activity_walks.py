"""The statements over the sources of ``activity_groups``: pages and counts, each built once."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from server.store.activity_groups import (
    DOCUMENT,
    EVENT,
    JOB,
    STATES_OF,
    Condition,
    Rows,
    Source,
    is_one,
)
from server.store.db import UtcDateTime

OF_DEALS = 5000  # rows of named deals that are looked through, the newest


@cache
def walk(source: Source, asked: frozenset[str]) -> sa.Select[Any]:
    """Time and id of the source's rows, newest first, at most ``most``."""
    rows = _of_deals(source) if "deals" in asked else source.table
    at, key = _at(rows), rows.c.id
    own = rows.c.account_id == sa.bindparam("account_id")
    narrower = _narrower(rows)
    more = [narrower[name] for name in sorted(asked - {"deals"})]
    return (
        sa.select(at.label("at"), key)
        .where(own, *source.conditions(rows), *more)
        .order_by(at.desc(), key.desc())
        .limit(sa.bindparam("most"))
    )


@cache
def count(source: Source, asked: frozenset[str]) -> sa.Select[Any]:
    """How many, up to ``most``."""
    return sa.select(sa.func.count()).select_from(walk(source, asked).subquery())


def _of_deals(source: Source) -> Rows:
    """The rows of the deals that are asked for, behind a bound that no planner looks through: else
    one that knows little of the tables walks the account's rows by time instead."""
    table = source.table
    if table is JOB:
        named: list[Condition] = [JOB.c.about.in_(_several("deals"))]
    else:
        named = [DOCUMENT.c.source == "kommo", DOCUMENT.c.source_id.in_(_several("source_ids"))]
    own = table.c.account_id == sa.bindparam("account_id")
    found = sa.select(table).where(own, *named).order_by(table.c.id.desc()).limit(OF_DEALS)
    return found.subquery(f"{table.name}_of_deals")


def _several(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


def _at(rows: Rows) -> sa.ColumnElement[Any]:
    return rows.c["received_at" if rows is EVENT else "updated_at"]


def _narrower(rows: Rows) -> dict[str, Condition]:
    at = _at(rows)
    older = sa.tuple_(sa.bindparam("older_at", type_=UtcDateTime()), sa.bindparam("older_id"))
    found: dict[str, Condition] = {
        "older": sa.tuple_(at, rows.c.id) < older,
        "since": at >= sa.bindparam("since"),
        "until": at < sa.bindparam("until"),
    }
    if "problems" in rows.c:
        found["cause"] = rows.c.cause == sa.bindparam("cause")
        found["kind"] = rows.c.kind == sa.bindparam("kind")
        found["field"] = sa.cast(rows.c.problems, sa.Text).like(sa.bindparam("field"), escape="\\")
        found |= {group: is_one(rows.c.state, *states) for group, states in STATES_OF.items()}
    elif "source_id" in rows.c:
        found["cause"] = rows.c.state == sa.bindparam("cause")
    return found
