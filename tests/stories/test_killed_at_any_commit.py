"""kill -9 around every commit of a deal's run: one client, one invoice, one e-mail, its link."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import Rig
from tests.stories.killing import MOST_COMMITS, dies_at
from tests.stories.shop import Shop


@pytest.fixture
def rig_on_both(tmp_path: Path, database_url: str) -> Iterator[Rig]:
    """On SQLite and on PostgreSQL."""
    with Rig(tmp_path, database_url=database_url) as rig:
        yield rig.connect()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("action", ["mark_sent", "email"])
def test_killed_at_any_commit_it_is_made_and_mailed_once(
    rig_on_both: Rig, action: str, after: bool
) -> None:
    rig = rig_on_both
    shop = Shop(rig, action=action)
    for nth in range(1, MOST_COMMITS):
        deal = shop.deal(contact=shop.contact(f"p{nth}@acme.test"))
        shop.move(deal)
        rig.sandbox.deliveries.deliver_due()
        killed = dies_at(rig, nth, after=after)
        assert shop.shown(deal) == "Sent", f"killed at commit {nth}"
        assert len(shop.invoices) == nth, f"killed at commit {nth}"
        assert len(shop.clients) == nth, f"killed at commit {nth}"
        if action == "email":
            assert len(rig.books.mails) == nth, f"killed at commit {nth}"
        if not killed:
            break
    assert not killed
    assert nth > 8
