"""A run that stood still at a commit and was overtaken goes on: nothing is made twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from server.app import create_app, wired
from tests.rig import Rig
from tests.stories.shop import Shop


def overtake(rig: Rig) -> None:
    """Another process over the same database does all that is due, and all that waits."""
    app = create_app(rig.config(), clock=rig.clock, limits={})
    parts = wired(app)
    for seconds in (21, 125, 125, 125):
        rig.clock.advance(timedelta(seconds=seconds))
        parts.runner.drain()
    parts.database.engine.dispose()


@contextmanager
def overtaken_at(rig: Rig, nth: int) -> Iterator[None]:
    """The thread stands still right after its nth commit, for six minutes."""
    seen, here = 0, threading.get_ident()

    def count(session: Any) -> None:
        nonlocal seen
        if threading.get_ident() != here or session.in_nested_transaction():
            return
        seen += 1
        if seen == nth:
            other = threading.Thread(target=overtake, args=(rig,))
            other.start()
            other.join()

    sa.event.listen(sa.orm.Session, "after_commit", count)
    try:
        yield
    finally:
        sa.event.remove(sa.orm.Session, "after_commit", count)


@pytest.mark.parametrize("action", ["mark_sent", "email"])
def test_overtaken_at_any_commit_it_is_made_and_mailed_once(rig: Rig, action: str) -> None:
    shop = Shop(rig, action=action)
    wrong = []
    clients = invoices = mails = 0
    for nth in range(2, 10):
        deal = shop.deal(contact=shop.contact(f"p{nth}@acme.test"))
        shop.move(deal)
        rig.sandbox.deliveries.deliver_due()
        (job_id,) = rig.runner.due()
        with overtaken_at(rig, nth):
            rig.runner.run(job_id)
        for _ in range(3):
            rig.later(seconds=125)
        now = (len(shop.clients), len(shop.invoices), len(rig.books.mails))
        made = (now[0] - clients, now[1] - invoices, now[2] - mails)
        clients, invoices, mails = now
        if made != (1, 1, action == "email") or shop.shown(deal) != "Sent":
            wrong.append((nth, made, shop.shown(deal)))
    assert wrong == []
