"""Invoices created and refused over real HTTP (reference §3.1 to §3.3)."""

import pytest

from server.sandbox.freshbooks import FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


def refusal(api: Api, client_id: int, **fields: object) -> tuple[int, int]:
    body = {"customerid": client_id, "create_date": "2026-03-02"} | fields
    return wrong(api.post("invoices/invoices", invoice=body))


def test_a_create_answers_200_with_a_draft_and_the_next_seven_digit_number(
    api: Api, buyer: int
) -> None:
    first, second = api.invoice(buyer, line()), api.invoice(buyer, line(), status=2)
    assert (first["status"], first["v3_status"], first["display_status"]) == (1, "draft", "draft")
    assert [first["invoice_number"], second["invoice_number"]] == ["0000001", "0000002"]
    assert second["status"] == 1


def test_numbers_count_per_business(api: Api, buyer: int, world: FreshbooksWorld) -> None:
    api.invoice(buyer, line())
    other = world.add_business(world.add_identity("two@example.test"), "Second")
    client = other.add_client(email="x@example.test")
    invoice = other.add_invoice(client["id"], [line()])
    assert invoice["invoice_number"] == "0000001"


def test_lines_are_absent_unless_included(api: Api, buyer: int) -> None:
    created = api.invoice(buyer, line())
    path = f"invoices/invoices/{created['id']}"
    assert "lines" not in created
    assert "lines" not in result(api.get(path))["invoice"]
    assert "lines" not in result(api.get("invoices/invoices"))["invoices"][0]
    body = {"invoice": {"notes": "x"}}
    asked = {"include[]": "lines"}
    assert len(result(api.get(path, include="lines"))["invoice"]["lines"]) == 1
    assert len(result(api.call("PUT", path, json=body, params=asked))["invoice"]["lines"]) == 1
    rows = result(api.get("invoices/invoices", include="lines"))["invoices"]
    assert rows[0]["lines"][0]["qty"] == "1"


def test_an_invoice_has_the_seventy_keys_of_2026(api: Api, buyer: int) -> None:
    assert len(api.invoice(buyer, line())) == 70


def test_due_date_is_read_only_and_refused_with_403_and_1038(api: Api, buyer: int) -> None:
    assert refusal(api, buyer, due_date="2026-04-01") == (403, 1038)
    invoice = api.invoice(buyer, line())
    path = f"invoices/invoices/{invoice['id']}"
    assert wrong(api.put(path, invoice={"due_date": "2026-04-01"})) == (403, 1038)


def test_due_offset_days_sets_the_due_date_and_without_it_it_is_the_create_date(
    api: Api, buyer: int
) -> None:
    assert api.invoice(buyer, line())["due_date"] == "2026-03-02"
    assert api.invoice(buyer, line(), due_offset_days=30)["due_date"] == "2026-04-01"


@pytest.mark.parametrize("missing", ["customerid", "create_date"])
def test_a_required_field_that_is_missing_is_1001(api: Api, buyer: int, missing: str) -> None:
    body = {"customerid": buyer, "create_date": "2026-03-02"}
    del body[missing]
    assert wrong(api.post("invoices/invoices", invoice=body)) == (422, 1001)


def test_an_unknown_client_is_404_with_1012(api: Api) -> None:
    assert refusal(api, 999) == (404, 1012)


def test_a_deleted_client_cannot_be_invoiced(api: Api, buyer: int) -> None:
    api.put(f"users/clients/{buyer}", client={"vis_state": 1})
    assert refusal(api, buyer) == (422, 1011)


@pytest.mark.parametrize("refused", [False, True])
def test_an_archived_client_is_refused_only_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld, refused: bool
) -> None:
    world.switches.archived_client_refused = refused
    api.put(f"users/clients/{buyer}", client={"vis_state": 2})
    body = {"customerid": buyer, "create_date": "2026-03-02"}
    reply = api.post("invoices/invoices", invoice=body)
    assert reply.status_code == (422 if refused else 200)


def test_a_number_that_is_taken_is_1029_also_when_archived_or_deleted(
    api: Api, buyer: int, world: FreshbooksWorld
) -> None:
    invoice = api.invoice(buyer, line(), invoice_number="ORD-1")
    assert refusal(api, buyer, invoice_number="ORD-1") == (422, 1029)
    api.change(invoice["id"], vis_state=2)
    assert refusal(api, buyer, invoice_number="ORD-1") == (422, 1029)
    api.change(invoice["id"], vis_state=1)
    assert refusal(api, buyer, invoice_number="ORD-1") == (422, 1029)
    world.switches.deleted_numbers_reusable = True
    assert api.invoice(buyer, line(), invoice_number="ORD-1")["id"] != invoice["id"]


def test_texts_longer_than_the_limit_are_1017(api: Api, buyer: int, world: FreshbooksWorld) -> None:
    world.switches.limits["invoice.invoice_number"] = 10
    assert refusal(api, buyer, invoice_number="BH123456789") == (422, 1017)
    assert api.invoice(buyer, invoice_number="BH12345678")["invoice_number"] == "BH12345678"
    assert refusal(api, buyer, lines=[line(name="x" * 256)]) == (422, 1017)


def test_more_lines_than_the_limit_are_1017(api: Api, buyer: int, world: FreshbooksWorld) -> None:
    world.switches.max_lines = 2
    assert refusal(api, buyer, lines=[line()] * 3) == (422, 1017)
    assert api.invoice(buyer, line(), line())["amount"]["amount"] == "200.00"


@pytest.mark.parametrize(
    ("fields", "errno"),
    [
        ({"create_date": "02.03.2026"}, 1033),
        ({"create_date": "2026-02-30"}, 1033),
        ({"create_date": "9999-12-31"}, 1033),
        ({"currency_code": "EURO"}, 1004),
        ({"currency_code": "XYZ"}, 1004),
        ({"language": 7}, 1004),
        ({"due_offset_days": -1}, 1025),
        ({"due_offset_days": "soon"}, 1015),
        ({"discount_value": "ten"}, 1018),
        ({"discount_value": "101"}, 1030),
        ({"lines": {}}, 1004),
        ({"lines": [line("1,50")]}, 1015),
        ({"lines": [line(qty="two")]}, 1015),
        ({"lines": [line(taxName1="VAT", taxAmount1="21.0005")]}, 1018),
        ({"lines": [line(taxName1="", taxAmount1="21")]}, 1001),
        (
            {"lines": [line(taxName1="VAT", taxAmount1="5", taxName2="VAT", taxAmount2="6")]},
            1026,
        ),
        ({"lines": [{"name": "x", "unit_cost": {"amount": "1.00", "code": "USD"}}]}, 1004),
        ({"status": "sent"}, 1015),
        ({"status": 4}, 1004),
    ],
)
def test_a_value_that_does_not_pass_is_422_with_its_errno(
    api: Api, buyer: int, fields: dict[str, object], errno: int
) -> None:
    assert refusal(api, buyer, **fields) == (422, errno)
