"""Never twice: whatever Kommo sends, in whatever order, a deal is billed once."""

import requests

from server.store import inbox
from server.store.inbox import EventRow
from tests.rig import Rig
from tests.stories.shop import Shop

FORM = "application/x-www-form-urlencoded"


def post(rig: Rig, body: str, kind: str = "kommo") -> int:
    with requests.post(
        rig.hook_url(kind), data=body, headers={"Content-Type": FORM}, timeout=10
    ) as reply:
        return reply.status_code


def test_five_identical_hooks_two_in_the_wrong_order_one_of_another_stage(
    shop: Shop, rig: Rig
) -> None:
    deal = shop.deal()
    rig.pump()
    rig.sandbox.deliveries.reorder_next(2)
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    told = next(d for d in rig.sandbox.deliveries.history if d.label == "leads[status]")
    other = told.body.replace(
        str(shop.stage("Issue invoice")).encode(), str(shop.stage("Offer")).encode()
    )
    for body in (told.body, told.body, other, told.body, told.body, told.body):
        assert post(rig, body.decode()) == 204
    rig.pump()
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_every_deal_of_a_batched_hook_is_billed(shop: Shop, rig: Rig) -> None:
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(3)]
    rig.pump()
    with rig.kommo.batch():
        for deal in deals:
            shop.move(deal)
    rig.pump()
    assert len(shop.invoices) == 3
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 3


def test_two_deals_of_a_new_customer_at_the_same_instant_make_one_client(
    shop: Shop, rig: Rig
) -> None:
    deals = [
        shop.deal(contact=shop.contact("Ann@Acme.test")),
        shop.deal(contact=shop.contact("ann@acme.TEST")),
    ]
    rig.pump()
    for deal in deals:
        shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    rig.run_at_once()
    rig.pump()
    for _ in range(3):
        rig.later(seconds=2)
    assert len(shop.clients) == 1
    assert len(shop.invoices) == 2
    assert [shop.shown(deal) for deal in deals] == ["Sent", "Sent"]


def test_byte_identical_hooks_are_all_kept(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    rig.sandbox.deliveries.duplicate_next(10)
    shop.issue(deal)
    bodies = [
        row.body
        for row in rig.in_database(
            lambda session: list(inbox.events(session, account_id=rig.account_id))
        )
        if isinstance(row, EventRow)
    ]
    assert len(bodies) > len(set(bodies))
    assert len(shop.invoices) == 1


def test_moved_away_and_into_the_stage_again_is_billed_once(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    rig.clock.advance(rig.world.quiet_period)
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    assert len(shop.invoices) == 1


def test_our_own_writing_starts_no_loop(shop: Shop, rig: Rig) -> None:
    rig.sandbox.kommo.switches.own_writes_fire_hooks = True
    deal = shop.deal()
    shop.issue(deal)
    calls = len(rig.sandbox.kommo.calls)
    rig.later(seconds=30)
    assert len(rig.sandbox.kommo.calls) == calls
    assert len(shop.invoices) == 1


def test_a_client_that_is_there_already_is_found_whatever_the_case_of_its_e_mail(
    shop: Shop, rig: Rig
) -> None:
    there = rig.books.add_client(email="ANN@acme.test", organization="Acme")
    shop.issue(shop.deal(contact=shop.contact("ann@Acme.test")))
    (invoice,) = shop.invoices
    assert invoice["customerid"] == there["id"]
    assert len(shop.clients) == 1


def test_a_company_is_found_by_its_name_where_clients_are_matched_by_company(rig: Rig) -> None:
    shop = Shop(rig, mapping={"client": {"match_by": "company"}})
    there = rig.books.add_client(email="office@acme.test", organization="ACME")
    acme = rig.kommo.add_company("Acme")
    shop.issue(shop.deal(contact=shop.contact("ann@acme.test"), company=acme))
    assert shop.invoices[0]["customerid"] == there["id"]
    assert len(shop.clients) == 1


def test_of_two_clients_with_one_e_mail_the_older_is_taken(shop: Shop, rig: Rig) -> None:
    older = rig.books.add_client(email="ann@acme.test")
    rig.books.add_client(email="ann@acme.test")
    shop.issue(shop.deal())
    assert shop.invoices[0]["customerid"] == older["id"]


def test_a_remembered_client_that_was_deleted_is_matched_again(shop: Shop, rig: Rig) -> None:
    shop.issue(shop.deal())
    first = shop.invoices[0]["customerid"]
    rig.books.delete_client(first)
    deal = shop.deal(contact=shop.contact("ann@acme.test"))
    shop.issue(deal)
    assert shop.shown(deal) == "Sent"
    assert shop.invoices[-1]["customerid"] != first
