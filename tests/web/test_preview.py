"""The page that shows an invoice before it exists."""

from html import unescape
from typing import Any

import pytest

from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import LetIn, let_in

VAT = {"taxes": {"fixed": [{"name": "VAT", "percent": "21"}]}}


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig, mapping=VAT)


def _deal(shop: Shop, **more: Any) -> int:
    chair = shop.product("1200.75", "Chair")
    return shop.deal("2401.50", products=[(chair, "2")], **more).id


def _page(admin: LetIn, **query: Any) -> str:
    answer = admin.get("/app/preview", query_string=query, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    text: str = answer.text
    return text


def test_a_deal_is_found_by_name_number_and_link(shop: Shop) -> None:
    deal_id, admin = _deal(shop, name="Forty chairs"), let_in(shop.rig)
    link = f"https://{shop.kommo.host}/leads/detail/{deal_id}"
    for text in ("Forty", str(deal_id), link):
        assert "€2,905.82" in _page(admin, q=text)
    another = _deal(shop, name="Forty lamps")
    both = _page(admin, q="Forty")
    assert f"deal={deal_id}" in both
    assert f"deal={another}" in both
    assert "leads to" in _page(admin, q="https://other.kommo.com/leads/detail/1")


def test_the_invoice_is_shown_line_by_line_and_nothing_is_made(shop: Shop) -> None:
    deal_id = _deal(shop)
    before = len(shop.rig.jobs())
    page = _page(let_in(shop.rig), deal=deal_id)
    for figure in ("€1,200.75", "€2,401.50", "€504.32", "€2,905.82", "VAT 21 %"):
        assert figure in page, figure
    assert "will be created" in page
    assert "would be billed" not in page  # it stands in another stage
    assert len(shop.rig.jobs()) == before
    assert not shop.rig.books.invoices
    assert not shop.rig.books.clients


@pytest.mark.parametrize(
    ("mapping", "where"),
    [
        ({}, "PO number"),
        ({"po_number": {"text": "PO-7"}}, "Notes"),
        ({"numbering": {"kind": "reference"}}, "Number"),
    ],
)
def test_it_is_shown_where_billhooks_reference_will_stand(
    rig: Rig, mapping: dict[str, Any], where: str
) -> None:
    shop = Shop(rig, mapping=mapping)
    page = _page(let_in(rig), deal=shop.deal("100").id)
    label = page.rpartition("Billhook's reference")[0].splitlines()[-1]
    assert f">{where}<" in label
    assert page.count("Billhook's reference") == 1


def test_money_is_spelled_as_the_visitor_spells_it(shop: Shop) -> None:
    deal_id = _deal(shop)
    assert "2.401,50" in _page(let_in(shop.rig, language="pt"), deal=deal_id)


def test_what_is_missing_is_said_in_plain_words_and_what_each_rule_would_do(shop: Shop) -> None:
    deal_id = shop.deal(None, stage="Issue invoice").id
    document = shop.document("draft", {})
    asks = {"conditions": [{"field": "deal.price", "is": "less", "value": 5000}]}
    document["rules"].append({**document["rules"][0], "slug": "small", "name": "Small", **asks})
    shop.rig.settings(document)
    page = _page(let_in(shop.rig), deal=deal_id)
    assert "cannot be billed yet" in page
    assert "amount" in page
    assert "The rule “Issue” bills this deal" in page
    assert "The rule “Small” bills only if Deal: Amount is less than 5000." in page


def test_a_due_date_is_shown_as_it_will_be(shop: Shop) -> None:
    shop.rig.kommo.add_field("leads", "date", "Due", "DUE")
    shop.rig.settings(shop.document("draft", {"due_days": {"field": "deal.code.DUE"}}))
    admin = let_in(shop.rig)
    passed = shop.deal("10.00", fields={"DUE": "2026-02-01T12:00:00+00:00"})
    assert "at once: the field's date (Feb 1, 2026) has passed" in unescape(
        _page(admin, deal=passed.id)
    )
    shop.issue(passed)
    (invoice,) = shop.invoices
    assert invoice["due_offset_days"] == 0
    far = shop.deal("10.00", fields={"DUE": "2206-02-01T12:00:00+00:00"})
    why = "The due date 2206-02-01 is more than 365 days away."
    assert why in _page(admin, deal=far.id)
    shop.issue(far)
    assert shop.job_of(far).problems[0]["reason"] == why
    assert len(shop.invoices) == 1


def test_the_checklist_knows_that_it_was_tried(shop: Shop) -> None:
    admin = let_in(shop.rig)
    tried = 'class="next"'
    assert tried in admin.get("/app/").text
    _page(admin, deal=_deal(shop))
    assert tried not in admin.get("/app/").text.partition("Try it on a real deal")[0][-200:]


@pytest.mark.parametrize("deal", ["0", "999999999999999999", "9" * 19, "x", "-1", "1e3", "²"])
def test_a_deal_that_is_not_there_is_a_sentence(shared_rig: Rig, deal: str) -> None:
    page = _page(let_in(shared_rig), deal=deal)
    assert "Deals changed last" in page or "was never there" in page


def test_a_dead_kommo_shows_the_page_with_a_notice(shop: Shop) -> None:
    deal_id = _deal(shop)
    shop.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None, status=503))
    page = _page(let_in(shop.rig), deal=deal_id)
    assert 'class="note"' in page
    assert "Kommo" in page


def test_a_deal_that_is_billed_already_is_shown_so(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.issue(deal)
    page = let_in(shop.rig).get(f"/app/preview?deal={deal.id}").text
    assert "already billed" in page
    assert "would be billed" not in page
