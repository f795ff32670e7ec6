"""Callbacks: registration, handshake, signed form posts, mischief (reference §6)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from werkzeug.wrappers import Request, Response

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from server.sandbox.freshbooks.events import signature
from server.sandbox.serve import Served, serve
from tests.sandbox.freshbooks.raw import Api, line, result


class Receiver:
    """What was posted to it, with the signature header."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], str]] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        fields = dict(parse_qsl(request.get_data(as_text=True)))
        self.seen.append((fields, request.headers["X-FreshBooks-Hmac-SHA256"]))
        return Response("")(environ, start_response)

    @property
    def names(self) -> list[str]:
        return [fields["name"] for fields, _ in self.seen]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def listening(receiver: Receiver) -> Iterator[Served]:
    served = serve(receiver)
    yield served
    served.stop()


def register(api: Api, uri: str, event: str) -> Any:
    return result(api.post(api.hooks, callback={"event": event, "uri": uri}))["callback"]


@pytest.fixture
def verified(api: Api, listening: Served, receiver: Receiver, sandbox: Sandbox) -> str:
    """The secret of a verified callback for all of invoice's verbs."""
    made = register(api, f"{listening.url}/hooks/fb/key", "invoice")
    sandbox.deliveries.deliver_due()
    verifier = receiver.seen.pop()[0]["verifier"]
    result(api.put(f"{api.hooks}/{made['callbackid']}", callback={"verifier": verifier}))
    return verifier


@pytest.mark.quirk
def test_registration_posts_a_form_with_the_verifier(
    api: Api, listening: Served, receiver: Receiver, sandbox: Sandbox
) -> None:
    made = register(api, f"{listening.url}/hooks/fb/key", "invoice.create")
    assert set(made) == {"callbackid", "event", "uri", "verified", "updated_at"}
    assert made["verified"] is False
    sandbox.deliveries.deliver_due()
    fields, signed = receiver.seen[0]
    assert fields["name"] == "callback.verify"
    assert fields["object_id"] == str(made["callbackid"])
    assert signed == signature(fields, fields["verifier"])
    path = f"{api.hooks}/{made['callbackid']}"
    assert api.put(path, callback={"verifier": "wrong"}).status_code == 422
    done = result(api.put(path, callback={"verifier": fields["verifier"]}))["callback"]
    assert done["verified"] is True


@pytest.mark.quirk
def test_the_handshake_of_2020_has_the_system_and_its_own_order(
    api: Api, listening: Served, receiver: Receiver, sandbox: Sandbox, world: FreshbooksWorld
) -> None:
    world.switches.handshake_fields = "2020"
    register(api, listening.url, "invoice")
    sandbox.deliveries.deliver_due()
    assert list(receiver.seen[0][0]) == [
        "user_id",
        "name",
        "verifier",
        "object_id",
        "account_id",
        "system",
    ]


@pytest.mark.quirk
def test_resend_posts_the_verification_again(
    api: Api, listening: Served, receiver: Receiver, sandbox: Sandbox
) -> None:
    made = register(api, listening.url, "invoice")
    result(api.put(f"{api.hooks}/{made['callbackid']}", callback={"resend": True}))
    sandbox.deliveries.deliver_due()
    assert receiver.names == ["callback.verify"] * 2


@pytest.mark.quirk
def test_an_unverified_callback_hears_nothing(
    api: Api, listening: Served, receiver: Receiver, sandbox: Sandbox, buyer: int
) -> None:
    register(api, listening.url, "invoice")
    api.invoice(buyer, line())
    sandbox.deliveries.deliver_due()
    assert receiver.names == ["callback.verify"]


@pytest.mark.quirk
def test_a_users_acts_are_posted_signed_with_ids_only(
    api: Api, verified: str, receiver: Receiver, sandbox: Sandbox, biz: Business, buyer: int
) -> None:
    invoice = biz.add_invoice(buyer, [line()])
    biz.edit_invoice(invoice["id"], notes="changed")
    biz.email_invoice(invoice["id"])
    biz.delete_invoice(invoice["id"])
    sandbox.deliveries.deliver_due()
    assert receiver.names == [
        "invoice.create",
        "invoice.update",
        "invoice.update",
        "invoice.sendByEmail",
        "invoice.delete",
    ]
    fields, signed = receiver.seen[0]
    assert fields == {
        "name": "invoice.create",
        "object_id": str(invoice["id"]),
        "account_id": "aBc12D",
        "business_id": str(biz.business_id),
        "identity_id": str(biz.owner.id),
        "user_id": "1",
    }
    assert signed == signature(fields, verified)


@pytest.mark.quirk
def test_paying_and_viewing_fire_nothing_for_the_invoice_unless_switched(
    api: Api, verified: str, receiver: Receiver, sandbox: Sandbox, biz: Business, buyer: int
) -> None:
    invoice = biz.add_invoice(buyer, [line()])
    biz.mark_sent(invoice["id"])
    sandbox.deliveries.deliver_due()
    receiver.seen.clear()
    biz.view(invoice["id"])
    biz.pay(invoice["id"], "40.00")
    sandbox.deliveries.deliver_due()
    assert receiver.names == []
    biz.switches.payment_fires_invoice_update = biz.switches.view_fires_update = True
    biz.pay(invoice["id"], "60.00")
    sandbox.deliveries.deliver_due()
    assert receiver.names == ["invoice.update"]


@pytest.mark.quirk
@pytest.mark.parametrize(("retry", "tries"), [(True, 4), (False, 1)])
def test_a_callback_that_nobody_answers_is_tried_again_by_the_switch(
    api: Api, sandbox: Sandbox, retry: bool, tries: int
) -> None:
    sandbox.freshbooks.switches.callbacks_retry = retry
    register(api, "http://127.0.0.1:9/nobody", "invoice")
    for _ in range(5):
        sandbox.deliveries.deliver_due()
        sandbox.clock.advance(timedelta(hours=2))
    assert len(sandbox.deliveries.history[0].attempts) == tries


@pytest.mark.quirk
@pytest.mark.parametrize("heard", [True, False])
def test_writes_of_the_api_fire_by_the_switch(
    api: Api, verified: str, receiver: Receiver, sandbox: Sandbox, buyer: int, heard: bool
) -> None:
    sandbox.freshbooks.switches.own_writes_fire = heard
    api.invoice(buyer, line())
    sandbox.deliveries.deliver_due()
    assert receiver.names == (["invoice.create"] if heard else [])


@pytest.mark.quirk
def test_hooks_come_twice_reversed_or_never(
    api: Api, verified: str, receiver: Receiver, sandbox: Sandbox, biz: Business, buyer: int
) -> None:
    deliveries = sandbox.deliveries
    deliveries.drop_next()
    invoice = biz.add_invoice(buyer, [line()])
    deliveries.duplicate_next()
    biz.mark_sent(invoice["id"])
    deliveries.deliver_due()
    assert receiver.names == ["invoice.update"] * 2
    receiver.seen.clear()
    deliveries.reorder_next(2)
    biz.edit_invoice(invoice["id"], notes="x")
    biz.delete_invoice(invoice["id"])
    deliveries.deliver_due()
    assert receiver.names == ["invoice.delete", "invoice.update"]


@pytest.mark.quirk
def test_an_unknown_event_or_a_relative_uri_is_422_in_the_events_shape(api: Api) -> None:
    reply = api.post(api.hooks, callback={"event": "invoice.paid", "uri": "/hooks"})
    assert reply.status_code == 422
    assert reply.json()["errno"] == 422
    assert reply.json()["details"] == [
        "event: Value error, Unrecognized event.",
        "uri: Input should be a valid URL, relative URL without a base",
    ]


@pytest.mark.quirk
def test_a_callback_needs_the_scope_of_its_object(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    api.token = world.grant(biz.owner, "app-1", ["user:invoices:read"]).access_token
    callback = {"event": "payment.create", "uri": "https://billhook.example/hooks"}
    assert api.post(api.hooks, callback=callback).status_code == 403


@pytest.mark.quirk
def test_callbacks_are_listed_by_event_and_deleted_with_204(api: Api) -> None:
    uri = "https://billhook.example/hooks"
    whole, part = register(api, uri, "invoice"), register(api, uri, "invoice.create")
    register(api, uri, "payment")
    rows = result(api.get(api.hooks, event="invoice.create"))
    assert {row["callbackid"] for row in rows["callbacks"]} == {
        whole["callbackid"],
        part["callbackid"],
    }
    assert result(api.get(api.hooks))["total"] == 3
    path = f"{api.hooks}/{part['callbackid']}"
    assert api.call("DELETE", path).status_code == 204
    gone = api.get(path)
    assert (gone.status_code, gone.json()["errno"]) == (404, 404)


@pytest.mark.cases("freshbooks signatures")
def test_signatures_are_those_of_the_recorded_vectors(cases: Path) -> None:
    path = cases / "freshbooks/webhook-signature-vectors.json"
    for vector in json.loads(path.read_text("utf-8")):
        fields = dict(parse_qsl(vector["body"], keep_blank_values=True))
        assert signature(fields, vector["verifier"]) == vector["signature"], vector["name"]


def test_a_signature_escapes_what_is_not_ascii() -> None:
    # json.dumps writes \u escapes; a sender that signed the raw letters would differ
    assert signature({"a": "ž"}, "k") == "9COMYMeMxDD9CvjPmxOOA6V1pgKVcnWh19opheZk+XI="
