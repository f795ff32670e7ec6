"""Clients over real HTTP (reference §4)."""

import pytest

from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


def test_twins_with_one_email_are_accepted(api: Api) -> None:
    first = api.client(email="twin@example.test", fname="Test", lname="Client")
    second = api.client(email="twin@example.test", fname="Test", lname="Client")
    assert first["id"] != second["id"]
    assert [first["username"], second["username"]] == ["testclient", "testclient2"]


def test_a_client_has_the_keys_of_2026_and_nothing_is_required(api: Api) -> None:
    client = api.client()
    assert len(client) == 53
    assert client["userid"] == client["id"]
    assert client["currency_code"] == "EUR"


def test_signup_date_is_utc_and_updated_is_us_eastern(api: Api) -> None:
    client = api.client(email="a@example.test")
    assert client["signup_date"] == "2026-03-02 12:00:00"
    assert client["updated"] == "2026-03-02 07:00:00"


@pytest.mark.parametrize("copied", [False, True])
def test_an_email_only_client_may_get_the_email_as_organization(
    api: Api, world: FreshbooksWorld, copied: bool
) -> None:
    world.switches.organization_from_email = copied
    client = api.client(email="only@example.test")
    assert client["organization"] == ("only@example.test" if copied else "")


def test_a_put_changes_only_what_it_names(api: Api, buyer: int) -> None:
    changed = result(api.put(f"users/clients/{buyer}", client={"vat_number": "LT1"}))["client"]
    assert (changed["vat_number"], changed["organization"]) == ("LT1", "Buyer UAB")


def test_vis_state_in_a_put_discards_the_rest(api: Api, buyer: int) -> None:
    body = {"vis_state": 0, "organization": "lost"}
    assert result(api.put(f"users/clients/{buyer}", client=body))["client"]["organization"] == (
        "Buyer UAB"
    )


def test_a_deleted_client_leaves_lists_but_an_archived_one_stays(api: Api, buyer: int) -> None:
    other = api.client(email="other@example.test")
    api.put(f"users/clients/{other['id']}", client={"vis_state": 2})
    api.put(f"users/clients/{buyer}", client={"vis_state": 1})
    rows = result(api.get("users/clients"))["clients"]
    assert [row["id"] for row in rows] == [other["id"]]
    assert rows[0]["vis_state"] == 2
    deleted = result(api.get("users/clients", vis_state=1))["clients"]
    assert [row["id"] for row in deleted] == [buyer]


def test_deleting_a_client_leaves_its_invoice_listed_and_writable(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    api.put(f"users/clients/{buyer}", client={"vis_state": 1})
    assert api.numbers() == [invoice["invoice_number"]]
    assert api.change(invoice["id"], notes="still")["notes"] == "still"


def test_bad_values_are_refused_with_their_errno(api: Api) -> None:
    assert wrong(api.post("users/clients", client={"email": "no at"})) == (422, 1004)
    assert wrong(api.post("users/clients", client={"currency_code": "XYZ"})) == (422, 1004)
    assert wrong(api.post("users/clients", client={"fname": "x" * 129})) == (422, 1017)


def test_balances_come_only_when_included(api: Api, buyer: int) -> None:
    api.invoice(buyer, line("30.00"))
    shown = result(api.get(f"users/clients/{buyer}", include="draft_balance"))["client"]
    assert shown["draft_balance"] == [{"amount": {"amount": "30.00", "code": "EUR"}}]
    assert "draft_balance" not in result(api.get(f"users/clients/{buyer}"))["client"]


def test_contacts_are_replaced_and_an_empty_list_removes_all(
    api: Api, buyer: int, biz: Business
) -> None:
    contact = {"email": "second@example.test", "fname": "Second"}
    api.put(f"users/clients/{buyer}", client={"contacts": [contact]})
    shown = result(api.get(f"users/clients/{buyer}", include="contacts"))["client"]
    assert shown["contacts"] == [contact]
    api.put(f"users/clients/{buyer}", client={"contacts": []})
    assert biz.clients[buyer]["contacts"] == []
