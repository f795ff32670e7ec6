"""Refusals in their shapes, limits, and the faults at the edge (reference §2.4, §7.1)."""

from datetime import timedelta

import pytest
import requests

from server.sandbox import Fault, Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


def test_the_classic_shape_names_errno_field_object_and_value(api: Api) -> None:
    reply = api.get("users/clients/12345")
    assert reply.status_code == 404
    assert reply.json()["response"]["errors"] == [
        {
            "errno": 1012,
            "field": "userid",
            "message": "Client not found.",
            "object": "client",
            "value": "12345",
        }
    ]


def test_the_google_shape_carries_the_errno_as_reason(api: Api, world: FreshbooksWorld) -> None:
    world.switches.error_shape = "google"
    body = api.get("users/clients/12345").json()
    assert (body["code"], body["details"][0]["reason"]) == (5, "1012")
    assert body["details"][0]["metadata"]["message"] == "Client not found."
    api.token = "none"
    assert api.get("users/clients").json()["code"] == 16


def test_errors_may_be_one_object_instead_of_a_list(api: Api, world: FreshbooksWorld) -> None:
    world.switches.error_shape = "single"
    assert api.get("users/clients/12345").json()["response"]["errors"]["errno"] == 1012


@pytest.mark.parametrize("style", ["classic", "google"])
def test_items_without_access_are_errors_with_status_200(
    api: Api, world: FreshbooksWorld, style: str
) -> None:
    world.switches.items_access = False
    world.switches.error_shape = "google" if style == "google" else "classic"
    reply = api.get("items/items")
    assert wrong(reply) == (200, 12001)
    assert "result" not in reply.json()["response"]


def test_items_and_taxes_are_listed_where_the_plan_has_them(api: Api, biz: Business) -> None:
    biz.add_tax("VAT", "21", "LT1")
    tax = result(api.get("taxes/taxes", name="VAT"))["taxes"][0]
    assert (tax["amount"], tax["number"]) == ("21", "LT1")
    assert "vis_state" not in tax
    assert result(api.get("items/items"))["items"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_400_with_1005(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = api.call("POST", "users/clients", data=body, headers=headers)
    assert wrong(reply) == (400, 1005)


def test_every_reply_carries_the_limits_and_retry_after(api: Api, sandbox: Sandbox) -> None:
    general, posts = api.get("users/clients"), api.post("users/clients", client={"fname": "x"})
    assert general.headers["X-RateLimit-Limit"] == "600"
    assert general.headers["X-RateLimit-Remaining"] == "599"
    assert posts.headers["X-RateLimit-Limit"] == "250"
    assert general.headers["Retry-After"] == "60"
    reset = int(sandbox.clock.now().timestamp()) + 60
    assert general.headers["X-RateLimit-Reset"] == str(reset)
    assert general.headers["X-API-Version"] == "2023-02-20"


def test_past_the_limit_is_429_until_the_minute_is_over(
    api: Api, world: FreshbooksWorld, sandbox: Sandbox
) -> None:
    world.switches.rate_limit_posts = 2
    posts = [api.post("users/clients", client={"fname": "x"}) for _ in range(3)]
    assert [reply.status_code for reply in posts] == [200, 200, 429]
    assert posts[2].headers["Retry-After"] == "60"
    assert api.get("users/clients").status_code == 200
    sandbox.clock.advance(timedelta(seconds=60))
    assert api.post("users/clients", client={"fname": "x"}).status_code == 200


def test_the_limits_can_be_switched_off(api: Api, world: FreshbooksWorld) -> None:
    world.switches.rate_limits, world.switches.rate_limit = False, 1
    assert [api.get("users/clients").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("kind", "status", "happened"),
    [
        ("conflict", 409, False),
        ("unauthorized", 401, False),
        ("error_before", 500, False),
        ("error_after", 500, True),
    ],
)
def test_an_injected_error_wears_the_classic_shape(
    api: Api, buyer: int, biz: Business, sandbox: Sandbox, kind: str, status: int, happened: bool
) -> None:
    sandbox.faults.add(Fault(kind, "POST /accounting/*/invoices/invoices"))
    body = {"customerid": buyer, "create_date": "2026-03-02"}
    reply = api.post("invoices/invoices", invoice=body)
    assert reply.status_code == status
    assert "errors" in reply.json()["response"]
    assert bool(biz.invoices) is happened


def test_a_throttle_says_how_long(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("throttle", "*", vendor="freshbooks", seconds=17))
    reply = api.get("users/clients")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "17")


def test_the_edge_may_answer_html(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("html", "*"))
    reply = api.get("users/clients")
    assert reply.status_code == 502
    assert reply.headers["Content-Type"].startswith("text/html")


def test_a_lost_reply_has_made_the_invoice(
    api: Api, buyer: int, biz: Business, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("lose_reply", "POST */invoices/invoices"))
    with pytest.raises(requests.ConnectionError):
        api.invoice(buyer, line())
    assert len(biz.invoices) == 1


def test_a_late_commit_makes_the_invoice_seconds_after_its_reply_was_cut(
    api: Api, buyer: int, biz: Business, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("late_commit", "POST */invoices/invoices", seconds=40))
    with pytest.raises(requests.ConnectionError):
        api.invoice(buyer, line())
    assert not biz.invoices
    sandbox.clock.advance(timedelta(seconds=40))
    assert len(biz.invoices) == 1


def test_an_unknown_call_is_refused_and_noted(api: Api, world: FreshbooksWorld) -> None:
    assert api.get("estimates/estimates").status_code == 404
    assert api.call("PATCH", "users/clients").status_code == 405
    assert api.call("DELETE", "users/clients/1").status_code == 405
    assert [method for method, path in world.unknown_calls] == ["GET", "PATCH", "DELETE"]
    world.unknown_calls.clear()


def test_every_call_is_counted(api: Api, world: FreshbooksWorld) -> None:
    api.get("users/clients")
    assert world.calls[-1] == ("GET", "/accounting/account/aBc12D/users/clients", 200)
