"""What a preview asks of the vendors: little while somebody types, what is new when it matters;
and what it still shows when they do not answer."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from server.flows import glance
from server.sandbox import Fault
from server.store import accounts
from tests.flows.looking_ahead import look
from tests.rig import Rig
from tests.stories.shop import Shop


@pytest.fixture
def shop(rig: Rig) -> Iterator[Shop]:
    """What goes on behind a look ends with its test."""
    yield Shop(rig)
    assert glance.settle()


def asked(rig: Rig, vendor: str = "kommo") -> int:
    return len(getattr(rig.sandbox, vendor).calls)


def test_a_mapping_edited_live_costs_no_further_call(shop: Shop) -> None:
    deal = shop.deal()
    first = look(shop, deal)
    before = asked(shop.rig), asked(shop.rig, "freshbooks")
    second = look(shop, deal, {"notes": {"text": "Order {deal.name}"}})
    assert first.draft is not None
    assert second.draft is not None
    assert (first.draft.notes, second.draft.notes) == ("", "Order Office chairs")
    assert (asked(shop.rig), asked(shop.rig, "freshbooks")) == before
    shop.kommo.update_deal(deal.id, name="Desks")
    kept = look(shop, deal).deal
    assert kept is not None
    assert kept.name == "Office chairs"
    fresh = look(shop, deal, fresh=True).deal
    assert fresh is not None
    assert fresh.name == "Desks"
    shop.kommo.update_deal(deal.id, name="Lamps")
    shop.rig.clock.advance(timedelta(seconds=61))
    later = look(shop, deal).deal
    assert later is not None
    assert later.name == "Lamps"


def test_a_stage_made_since_the_lists_were_read_is_known(shop: Shop) -> None:
    look(shop, shop.deal())
    stage = shop.kommo.add_stage(shop.pipeline, "Brand new")
    deal = shop.deal()
    shop.kommo.move_deal(deal.id, stage.id)
    figures = look(shop, deal).deal
    assert figures is not None
    assert figures.stage == "Brand new"


def test_a_dead_kommo_shows_the_deal_as_it_was_or_says_why_there_is_none(shop: Shop) -> None:
    known, unknown = shop.deal(), shop.deal()
    look(shop, known)
    shop.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", status=503, times=None))
    shop.rig.clock.advance(timedelta(seconds=90))
    old = look(shop, known)
    assert old.draft is not None
    assert old.notices == ("Kommo answered 503. The deal is shown as it was read last.",)
    assert look(shop, unknown).notices == ("Kommo answered 503.",)


def test_a_dead_or_slow_freshbooks_leaves_the_draft(shop: Shop) -> None:
    deal = shop.deal()
    shop.rig.sandbox.faults.add(Fault("html", vendor="freshbooks", status=502, times=None))
    seen = look(shop, deal)
    assert seen.draft is not None
    assert seen.client is not None
    assert (seen.client.kind, seen.client.client_id) == ("unknown", "")
    assert seen.client.sentence.startswith("FreshBooks answered 502")
    shop.rig.sandbox.faults.clear()
    shop.rig.sandbox.faults.add(Fault("slow", vendor="freshbooks", seconds=1.0))
    slow = look(shop, deal, seconds=0.5, fresh=True)
    assert slow.client is not None
    assert slow.client.sentence.startswith("FreshBooks does not answer in time.")


def test_a_vendor_that_did_not_answer_is_not_asked_for_every_key_typed(shop: Shop) -> None:
    deal = shop.deal()
    shop.rig.sandbox.faults.add(Fault("html", vendor="freshbooks", status=502, times=None))
    look(shop, deal)
    before = asked(shop.rig), asked(shop.rig, "freshbooks")
    same = look(shop, deal).client
    assert same is not None
    assert same.sentence.startswith("FreshBooks answered 502")
    assert (asked(shop.rig), asked(shop.rig, "freshbooks")) == before
    shop.rig.sandbox.faults.clear()
    shop.rig.clock.advance(timedelta(seconds=21))
    again = look(shop, deal).client
    assert again is not None
    assert again.kind == "new"


def test_an_account_that_must_connect_again_is_told_so(shop: Shop) -> None:
    deal = shop.deal()
    look(shop, deal)
    with shop.rig.database.write() as session:
        accounts.mark_connection(session, shop.rig.connection("kommo").id, state="reconnect")
    assert look(shop, deal).notices == ()  # read a moment ago
    (said,) = look(shop, shop.deal()).notices
    assert "Connect Kommo again." in said
    with shop.rig.database.write() as session:
        accounts.mark_connection(session, shop.rig.connection("freshbooks").id, state="reconnect")
    seen = look(shop, deal, {"client": {"organization": {"text": "New"}}}).client
    assert seen is not None
    assert "Connect FreshBooks again." in seen.sentence
