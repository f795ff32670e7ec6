"""What core, flows and vendors say is in the visitor's language on every page that shows it."""

from decimal import Decimal
from html import unescape
from io import BytesIO

import pytest

from server.core.money import Money
from server.core.said import joined, say
from server.sandbox.faults import Fault
from server.vendors.kommo.read import LOST
from server.web.languages import spoken
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import let_in
from tests.web.mapping_desk import URL, changed

NO_AMOUNT = {"es": "El lead no tiene monto.", "en": "The deal has no amount."}
FILL_IN = "Completar el monto del lead en Kommo."


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


def page(rig: Rig, path: str, language: str = "es") -> str:
    answer = let_in(rig, language=language).get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_a_sentence_is_spoken_with_its_facts_as_they_are(rig: Rig) -> None:
    off = say("The rule “%(rule)s” is off.", rule="100 % %(x)s")
    told = joined([off, say("The deal was lost."), "Kommo's own words."])
    with rig.app.test_request_context(headers={"Accept-Language": "es"}):
        assert spoken(told) == (
            "La regla “100 % %(x)s” está inactiva. El lead se perdió. Kommo's own words."
        )
        assert spoken("The deal was lost.") == "The deal was lost."
        assert spoken(say("No catalogue has this.")) == "No catalogue has this."
    with rig.app.test_request_context(headers={"Accept-Language": "en"}):
        assert spoken(told) == told


def test_money_is_spelled_anew_and_a_text_that_looks_like_it_is_not(rig: Rig) -> None:
    told = say("%(sum)s, “%(typed)s”", sum=Money(Decimal(1200), "USD"), typed="1200 USD")
    huge = say("%(sum)s", sum=Money(Decimal("1E+400"), "USD"))
    with rig.app.test_request_context(headers={"Accept-Language": "en"}):
        assert spoken(told) == "$1,200.00, “1200 USD”"
        assert spoken(huge) == str(huge)  # cannot be spelled


def test_a_field_that_looks_like_money_is_told_as_it_was_typed(shop: Shop) -> None:
    shop.rig.kommo.add_field("leads", "text", "Due", "DUE")
    shop.rig.settings(shop.document("draft", {"due_days": {"field": "deal.code.DUE"}}))
    for typed in ("1" * 30 + " EUR", "12 KGS"):
        deal = shop.deal("10.00", fields={"DUE": typed})
        shop.issue(deal)
        for path in ("activity", f"activity/deal:{deal.id}", f"preview?deal={deal.id}"):
            told = page(shop.rig, f"/app/{path}", "en")
            assert f"“{typed}” is no number of days until payment." in told, path


def test_what_parks_a_deal_is_spanish_where_the_visitor_is(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    for path in ("/app/activity?group=needs_attention", f"/app/activity/deal:{deal.id}"):
        told = page(shop.rig, path)
        assert NO_AMOUNT["es"] in told, path
        assert FILL_IN in told, path
        assert NO_AMOUNT["en"] not in told, path
        assert NO_AMOUNT["en"] in page(shop.rig, path, "en"), path


def test_why_a_deal_was_left_out_is_spanish_too(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.move(deal)
    shop.kommo.move_deal(deal.id, LOST)
    shop.rig.pump()
    assert not shop.invoices
    assert "El lead se perdió." in page(shop.rig, f"/app/activity/deal:{deal.id}")


def test_the_preview_says_in_spanish_what_is_missing_and_what_the_rules_decide(shop: Shop) -> None:
    deal_id = shop.deal(None).id
    told = page(shop.rig, f"/app/preview?deal={deal_id}")
    assert NO_AMOUNT["es"] in told
    assert FILL_IN in told
    assert "The deal" not in told


def test_a_vendor_that_does_not_answer_is_told_of_in_spanish(shop: Shop) -> None:
    fault = shop.rig.sandbox.faults.add(
        Fault("error_before", vendor="kommo", times=None, status=503)
    )
    told = page(shop.rig, "/app/preview?q=chairs")
    shop.rig.sandbox.faults.remove(fault.id)
    assert "Kommo respondió" in told


def test_a_mapping_that_cannot_be_saved_is_refused_in_spanish(rig: Rig) -> None:
    admin = let_in(rig, language="es")
    refused = admin.post(URL, data=changed(admin, numbering__next="0"))
    assert refused.status_code == 422
    assert "Debe ser como mínimo 1." in unescape(refused.text)


def test_a_file_that_cannot_be_read_is_refused_in_spanish(rig: Rig) -> None:
    admin = let_in(rig, language="es")
    data = {"file": (BytesIO(b"{"), "settings.json")}
    refused = admin.post("/app/history/import", data=data, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "JSON" in refused.text
    assert "is not JSON" not in refused.text
