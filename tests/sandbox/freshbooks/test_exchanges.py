"""Every exchange that FreshBooks' own Node client recorded: the sandbox answers in the same keys.

The same operation is performed on seeded books; the recorded reply and the sandbox's are compared
key by key with their JSON types. What differs stands in ``ALLOWED``, each with its reason.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from server.sandbox import Fault, Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.recorded_cases import ABSENT, cases_folder
from tests.sandbox.freshbooks.raw import REDIRECT, Api, line

Exchange = dict[str, Any]

#: (difference, object, keys) → why it may be.
REASONS = {
    (
        "added",
        "client.",
        "allow_email_include_pdf exceeds_client_limit number_format uuid",
    ): "a trial account of 2026 prints it too; the recordings are of 2019 to 2021",
    (
        "added",
        "invoice.",
        "attach_pdf_to_email basecampid discount lock_status net_paid_amount sender_address series"
        " uuid version",
    ): "likewise: 70 keys in 2026",
    (
        "added",
        "payment.",
        "bulk_paymentid send_client_notification transaction_uuid",
    ): "likewise",
    (
        "added",
        "invoice.lines.",
        "basecampid modern_project_id modern_time_entries",
    ): "in the lines that the Java client's later fixture has",
    ("added", "payment_options.", "has_acss_debit"): "documented since",
    ("added", "", "direct_buy_tokens"): "in the token replies of 2026",
    ("missing", "invoice.", "email"): "not among the 70 keys of 2026",
    (
        "type",
        "client.",
        "id userid",
    ): "a string in the Node client's fixture, an integer in live recordings",
    ("type", "credit_note.", "id creditid clientid"): "likewise",
    (
        "added",
        "credit_note.",
        "accounting_systemid amount country creditid current_organization description"
        " display_status dispute_status ext_archive id last_order_status paid payment_status sentid"
        " status street2 template vis_state",
    ): "the recorded create and change only echo what the test sent; live is the whole object",
    ("missing", "credit_note.", "lines"): "the same echo; lines come only when included",
    (
        "added",
        "response.",
        "addresses business_memberships business_statuses confirmed_at created_at email first_name"
        " groups identity_id identity_origin identity_uuid integrations language last_name links"
        " permissions phone_numbers profession roles setup_complete subscription_statuses"
        " unconfirmed_email",
    ): "the Node client's /me is made up: its test looks at ``id`` alone",
}

ALLOWED = {f"{difference} {obj}{key}" for difference, obj, keys in REASONS for key in keys.split()}


def recorded() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    return [
        pytest.param(exchange, id=f"{file.stem}-{index}-{exchange['status']}")
        for file in sorted((folder / "freshbooks").glob("[A-Z]*.json"))
        for index, exchange in enumerate(json.loads(file.read_text("utf-8")))
    ]


class Seeded:
    """Books that hold one of each kind, and the exchange's ids replaced by theirs."""

    def __init__(self, world: FreshbooksWorld, account_id: str) -> None:
        self.world = world
        person = world.add_identity("ona@example.test", "Ona Owner")
        self.biz: Business = world.add_business(person, "Studio", account_id, currency="USD")
        client = self.biz.add_client(email="buyer@example.test", organization="Buyer")
        invoice = self.biz.add_invoice(client["id"], [line("1222.00")])
        note = self.biz.add_credit_note(client["id"], [line("300.00")])
        self.client, self.invoice, self.note = client["id"], invoice["id"], note["id"]
        self.payment = self.biz.pay(self.invoice, "100.00")["id"]
        self.ids = {
            "invoices/invoices": self.invoice,
            "users/clients": self.client,
            "payments/payments": self.payment,
            "credit_notes/credit_notes": self.note,
            "invoice": self.invoice,
        }

    def path(self, recorded: str) -> str:
        """The same path with the seeded ids."""

        def own(match: re.Match[str]) -> str:
            return f"/{match[1]}/{self.ids.get(match[1], match[2])}"

        return re.sub(rf"/({'|'.join(self.ids)})/(\d+)\b", own, recorded)

    def body(self, recorded: Any) -> Any:
        """The same request: own ids, and the singular wrapper that live servers want (§5.2)."""
        if not isinstance(recorded, dict):
            return recorded
        own = {"customerid": self.client, "clientid": self.client, "invoiceid": self.invoice}
        renamed = {"credit_notes": "credit_note"}
        return {
            renamed.get(key, key): own.get(key, self.body(value)) for key, value in recorded.items()
        }


def perform(api: Api, seeded: Seeded, exchange: Exchange) -> requests.Response:
    """The recorded operation, with what the recording leaves out."""
    path, body = exchange["path"], exchange["request"]
    if exchange["status"] != 404:
        path = seeded.path(path)
    if path == "/auth/oauth/token":
        grant = seeded.world.grant(seeded.biz.owner, "app-1")
        form = {"client_id": "app-1", "client_secret": "secret-1", "grant_type": "refresh_token"}
        return api.call("POST", path, data=form | {"refresh_token": grant.refresh_token})
    if "callbacks" in path:
        return _callback(api, seeded, exchange)
    if exchange["method"] == "POST" and path.endswith("payment_options"):
        body = {"gateway_name": "fbpay", "entity_type": "invoice", "has_credit_card": True}
    how = {} if body is None else {"json": seeded.body(body)}
    return api.call(exchange["method"], path, **how)


def _callback(api: Api, seeded: Seeded, exchange: Exchange) -> requests.Response:
    made = api.post(api.hooks, callback={"event": "invoice.create", "uri": "http://x.test/"})
    number = made.json()["response"]["result"]["callback"]["callbackid"]
    body = exchange["request"]
    if body and "verifier" in body["callback"]:
        body = {"callback": {"verifier": seeded.biz.callbacks[number]["verifier"]}}
    return api.call(exchange["method"], f"{api.hooks}/{number}", json=body)


def arrange(api: Api, sandbox: Sandbox, status: int) -> None:
    """What makes the sandbox answer with a recorded refusal."""
    if status == 401:
        api.token = "none"
    elif status == 429:
        sandbox.faults.add(Fault("throttle", seconds=5))
    elif status in (400, 500):
        sandbox.faults.add(Fault("error_before", status=status))


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[str]:
    """ "missing …", "added …" and "type …", by the path of the key; null fits any type."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        yield from (f"missing {path}{key}" for key in theirs.keys() - ours.keys())
        yield from (f"added {path}{key}" for key in ours.keys() - theirs.keys())
        for key in theirs.keys() & ours.keys():
            yield from differences(theirs[key], ours[key], f"{path}{key}.")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if theirs and ours:
            yield from differences(theirs[0], ours[0], path)
    elif theirs is not None and ours is not None and type(theirs) is not type(ours):
        yield f"type {path.rstrip('.')}"


def singular(body: Any) -> Any:
    """The recorded credit notes are wrapped in the plural, which fails live (§5.2)."""
    result = body.get("response", {}).get("result", {}) if isinstance(body, dict) else {}
    if isinstance(result, dict) and isinstance(result.get("credit_notes"), dict):
        return {"response": {"result": {"credit_note": result["credit_notes"]}}}
    return body


def named(difference: str) -> str:
    """Lists and single objects of a kind are spoken of by one name."""
    kinds = "invoice|client|payment|credit_note"
    return re.sub(rf"response\.result\.(?:({kinds})s?)\.", r"\1.", difference)


@pytest.mark.cases("freshbooks")
@pytest.mark.parametrize("exchange", recorded())
def test_an_exchange_gets_the_recorded_keys(exchange: Exchange, sandbox: Sandbox) -> None:
    world = sandbox.freshbooks
    world.register_app("app-1", "secret-1", REDIRECT)
    account = re.search(r"/account/(\w+)/", exchange["path"])
    seeded = Seeded(world, account[1] if account else "aBc12D")
    api = Api(world, seeded.biz)
    with api.session:
        if exchange["path"].endswith("share_link"):
            seeded.biz.mark_sent(seeded.invoice)
        arrange(api, sandbox, exchange["status"])
        reply = perform(api, seeded, exchange)
    assert reply.status_code == exchange["status"], reply.text
    found = {named(d) for d in differences(singular(exchange["response"]), reply.json())}
    assert found - ALLOWED == set()
    assert world.unknown_calls == []
