"""Invoices changed, sent, mailed, shared and deleted over real HTTP (reference §3.4, §3.5)."""

from datetime import timedelta

import pytest

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


def test_status_4_names_the_writable_ones(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    reply = api.put(f"invoices/invoices/{invoice['id']}", invoice={"status": 8})
    message = reply.json()["response"]["errors"][0]["message"]
    assert message == "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."


def test_of_a_put_only_the_first_phase_is_applied(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    both = api.change(invoice["id"], action_mark_as_sent=True, notes="lost")
    assert (both["status"], both["notes"]) == (2, "")
    same = api.change(invoice["id"], vis_state=0, action_mark_as_sent=True, notes="lost")
    assert (same["vis_state"], same["notes"]) == (0, "")
    archived = api.change(invoice["id"], ext_vis_state=0, vis_state=1, notes="lost")
    assert (archived["vis_state"], archived["notes"]) == (0, "")
    assert api.change(invoice["id"], notes="kept")["notes"] == "kept"


def test_lines_are_replaced_as_a_set(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line("10.00"), line("20.00"))
    changed = api.change(invoice["id"], lines=[line("5.00")])
    assert changed["amount"] == {"amount": "5.00", "code": "EUR"}
    assert api.change(invoice["id"], notes="only")["amount"]["amount"] == "5.00"


def test_marking_as_sent_sets_the_fulfillment_date(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    assert invoice["fulfillment_date"] is None
    sent = api.change(invoice["id"], action_mark_as_sent=True)
    assert (sent["status"], sent["v3_status"], sent["fulfillment_date"]) == (
        2,
        "sent",
        "2026-03-02",
    )
    other = api.invoice(buyer, line())
    assert api.change(other["id"], status=2)["display_status"] == "sent"


def test_action_email_mails_each_time_and_marks_the_draft_sent(
    api: Api, buyer: int, biz: Business
) -> None:
    invoice = api.invoice(buyer, line())
    letter = {"subject": "Invoice", "body": "Hello"}
    fields = {"action_email": True, "email_recipients": ["a@example.test", "b@example.test"]}
    sent = api.change(invoice["id"], **fields, invoice_customized_email=letter)
    api.change(invoice["id"], action_email=True)
    first, second = biz.mails.values()
    assert sent["status"] == 2
    assert (first.recipients, first.subject) == (("a@example.test", "b@example.test"), "Invoice")
    assert second.recipients == ("buyer@example.test",)


def test_an_email_to_nobody_is_refused(api: Api, biz: Business) -> None:
    invoice = api.invoice(api.client(organization="No mail")["id"], line())
    reply = api.put(f"invoices/invoices/{invoice['id']}", invoice={"action_email": True})
    assert wrong(reply) == (422, 1001)
    assert biz.mails == {}


def test_overdue_comes_with_the_clock_alone(api: Api, buyer: int, sandbox: Sandbox) -> None:
    sent, draft = api.invoice(buyer, line()), api.invoice(buyer, line())
    api.change(sent["id"], action_mark_as_sent=True)
    sandbox.clock.advance(timedelta(days=1))
    api.renew()
    seen = result(api.get(f"invoices/invoices/{sent['id']}"))["invoice"]
    assert (seen["v3_status"], seen["display_status"], seen["status"]) == ("overdue", "sent", 2)
    assert result(api.get(f"invoices/invoices/{draft['id']}"))["invoice"]["v3_status"] == "draft"
    assert api.numbers(v3_status="overdue") == [sent["invoice_number"]]


def test_a_share_link_is_refused_for_a_draft(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    path = f"invoices/invoices/{invoice['id']}/share_link"
    assert wrong(api.get(path, share_method="share_link"))[0] == 422
    api.change(invoice["id"], action_mark_as_sent=True)
    link = result(api.get(path, share_method="share_link"))["share_link"]
    assert (link["clientid"], link["resourceid"]) == (buyer, invoice["id"])
    assert "/#/link/" in link["share_link"]


def test_the_clients_fields_are_copied_and_do_not_follow(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    api.put(f"users/clients/{buyer}", client={"organization": "New UAB", "p_city": "Vilnius"})
    seen = result(api.get(f"invoices/invoices/{invoice['id']}"))["invoice"]
    assert (seen["organization"], seen["city"]) == ("Buyer UAB", "Kaunas")
    assert seen["current_organization"] == "New UAB"


def test_the_currency_is_the_clients_unless_given(api: Api) -> None:
    client = api.client(email="k@example.test", currency_code="KES")
    assert api.invoice(client["id"], line())["currency_code"] == "KES"
    assert api.invoice(client["id"], line(), currency_code="USD")["amount"]["code"] == "USD"


def test_stamps_are_us_eastern_without_a_zone(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    assert (invoice["created_at"], invoice["updated"]) == ("2026-03-02 07:00:00",) * 2
    assert invoice["version"] == "2026-03-02 07:00:00.000000"


def test_a_deleted_invoice_leaves_the_list_and_can_still_be_read(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    assert api.change(invoice["id"], vis_state=1)["vis_state"] == 1
    assert api.numbers() == []
    assert api.numbers(vis_state=1) == ["0000001"]
    seen = result(api.get(f"invoices/invoices/{invoice['id']}"))["invoice"]
    assert seen["vis_state"] == 1
    path = f"invoices/invoices/{invoice['id']}"
    assert wrong(api.put(path, invoice={"notes": "late"})) == (422, 1011)


def test_a_deleted_invoice_is_404_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld
) -> None:
    invoice = api.invoice(buyer, line())
    api.change(invoice["id"], vis_state=1)
    world.switches.deleted_readable = False
    assert wrong(api.get(f"invoices/invoices/{invoice['id']}")) == (404, 1012)
    assert api.change(invoice["id"], vis_state=0)["vis_state"] == 0


def test_http_delete_deletes_an_invoice_too(api: Api, buyer: int, biz: Business) -> None:
    invoice = api.invoice(buyer, line())
    assert api.call("DELETE", f"invoices/invoices/{invoice['id']}").status_code == 200
    assert biz.invoices[invoice["id"]]["vis_state"] == 1


def test_equal_creates_make_twins(api: Api, buyer: int, biz: Business) -> None:
    api.invoice(buyer, line())
    api.invoice(buyer, line())
    assert len(biz.invoices) == 2


def test_a_clients_updated_moves_when_it_is_invoiced(
    api: Api, buyer: int, sandbox: Sandbox
) -> None:
    sandbox.clock.advance(timedelta(hours=1))
    api.invoice(buyer, line())
    client = result(api.get(f"users/clients/{buyer}"))["client"]
    assert client["updated"] == "2026-03-02 08:00:00"


def test_the_pdf_is_binary(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    reply = api.call(
        "GET", f"invoices/invoices/{invoice['id']}/pdf", headers={"Accept": "application/pdf"}
    )
    assert reply.content.startswith(b"%PDF-1.4")
    assert reply.headers["Content-Type"] == "application/pdf"
