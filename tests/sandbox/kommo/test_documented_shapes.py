"""The sandbox answers in the shapes of the platform's documented samples."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from server.sandbox.kommo.book.records import LOST
from tests.sandbox.kommo.calls import CLIENT_ID, SECRET, Kommo
from tests.sandbox.kommo.shapes import lacks

documented = pytest.mark.cases("kommo api shapes")


class Furnished:
    """An account with one of everything that the samples show."""

    def __init__(self, kommo: Kommo) -> None:
        self.kommo = kommo
        account = kommo.account
        self.catalog = account.products_catalog
        group = account.field("catalogs", "GROUP", self.catalog.id)
        group.nested = [{"id": 197, "parent_id": None, "value": "Phones", "sort": 0}]
        values: dict[int | str, Any] = {"DESCRIPTION": "Nice", "GROUP": "Phones"}
        self.element = account.add_element(
            self.catalog, "Chair", sku="C", price="12", fields=values
        )
        account.add_element(self.catalog, "Table", sku="T", price="90", fields=values)
        account.add_catalog("Plain", "regular")
        self.company = account.add_company("Acme", phone="+1")
        self.contact = account.add_contact("Ann Lee", phone="+1", company=self.company)
        account.add_contact("Bob Ray", phone="+2")
        account.add_company("Other")
        reason = next(iter(account.loss_reasons))
        self.deal = account.add_deal(
            "Desk", 12, contact=self.contact, company=self.company, tags=["new"],
            products=[(self.element, 1)],
        )  # fmt: skip
        account.move_deal(self.deal.id, LOST)
        self.deal.loss_reason_id = reason
        for number in range(4):
            account.add_deal(f"Deal {number}")
        for number in range(3):
            account.add_field("leads", "text", f"Text {number}", f"TEXT_{number}")
        self.task = account.make_task({"text": "Call", "complete_till": 1}, account.owner())
        account.make_task({"text": "Write", "complete_till": 2}, account.owner())
        account.subscribe("https://hooks.example.test", ["add_task"])

    def get(self, path: str, **params: Any) -> Any:
        return self._read(self.kommo.get(path, **params))

    def post(self, path: str, body: Any) -> Any:
        return self._read(self.kommo.post(path, body))

    def patch(self, path: str, body: Any) -> Any:
        return self._read(self.kommo.patch(path, body))

    @staticmethod
    def _read(reply: requests.Response) -> Any:
        assert reply.status_code in (200, 201), reply.text
        return reply.json()

    def link(self) -> list[dict[str, Any]]:
        spare = self.kommo.account.add_element(self.catalog, "Lamp")
        metadata = {"quantity": 1, "catalog_id": self.catalog.id}
        return [
            {"to_entity_id": spare.id, "to_entity_type": "catalog_elements", "metadata": metadata},
            {
                "to_entity_id": self.contact.id,
                "to_entity_type": "contacts",
                "metadata": {"is_main": True},
            },
        ]


Make = Callable[[Furnished, Any], Any]
ALL = {"with": "contacts,catalog_elements,loss_reason,is_price_modified_by_robot,source_id"}
PARTY = {"with": "leads,customers,catalog_elements"}
COMPLEX = {
    "name": "Form",
    "request_id": "r",
    "_embedded": {"contacts": [{"first_name": "Ann"}], "companies": [{"name": "Acme"}]},
}


def stages(it: Furnished) -> str:
    return f"leads/pipelines/{it.deal.pipeline_id}/statuses"


def offer(it: Furnished) -> str:
    return f"{stages(it)}/{it.kommo.account.main_pipeline.stage('Offer').id}"


def price_field(it: Furnished) -> int:
    return it.kommo.account.field("catalogs", "DESCRIPTION", it.catalog.id).id


#: sample → the reply to compare; the second argument is the documented request, where there is one.
REPLIES: dict[str, tuple[Make, str | None]] = {
    "catalogs-api-01": (lambda it, _: it.get("catalogs", page=1, limit=1), None),
    "catalogs-api-02": (lambda it, _: it.get(f"catalogs/{it.catalog.id}"), None),
    "catalogs-api-04": (lambda it, body: it.post("catalogs", body), "catalogs-api-03"),
    "catalogs-api-06": (
        lambda it, body: it.patch(f"catalogs/{it.catalog.id}", body),
        "catalogs-api-05",
    ),
    "catalogs-api-07": (lambda it, _: it.get(f"catalogs/{it.catalog.id}/elements", limit=1), None),
    "catalogs-api-08": (
        lambda it, _: it.get(f"catalogs/{it.catalog.id}/elements/{it.element.id}"),
        None,
    ),
    "catalogs-api-12": (
        lambda it, body: it.patch(
            f"catalogs/{it.catalog.id}/elements", [{**body[0], "id": it.element.id}]
        ),
        "catalogs-api-11",
    ),
    "companies-api-01": (lambda it, _: it.get("companies", limit=1, page=1), None),
    "companies-api-02": (lambda it, _: it.get(f"companies/{it.company.id}"), None),
    "companies-api-04": (lambda it, body: it.post("companies", body), "companies-api-03"),
    "companies-api-06": (
        lambda it, body: it.patch("companies", [{**body[0], "id": it.company.id}]),
        "companies-api-05",
    ),
    "contacts-api-01": (lambda it, _: it.get("contacts", limit=1, page=1), None),
    "contacts-api-02": (lambda it, _: it.get(f"contacts/{it.contact.id}", **PARTY), None),
    "contacts-api-04": (
        lambda it, body: it.post("contacts", [{"first_name": body[0]["first_name"]}]),
        "contacts-api-03",
    ),
    "contacts-api-06": (
        lambda it, _: it.patch("contacts", [{"id": it.contact.id, "name": "Ann"}]),
        None,
    ),
    "custom-fields-01": (lambda it, _: it.get("leads/custom_fields", limit=2, page=1), None),
    "custom-fields-02": (
        lambda it, _: it.get(
            f"contacts/custom_fields/{it.kommo.account.field('contacts', 'PHONE').id}"
        ),
        None,
    ),
    "custom-fields-06": (
        lambda it, body: it.patch(
            f"catalogs/{it.catalog.id}/custom_fields", [{**body[0], "id": price_field(it)}]
        ),
        "custom-fields-05",
    ),
    "custom-fields-08": (lambda it, _: it.get("leads/custom_fields/groups"), None),
    "entity-links-api-01": (lambda it, _: it.get(f"leads/{it.deal.id}/links"), None),
    "entity-links-api-03": (
        lambda it, _: it.post(f"leads/{it.deal.id}/link", it.link()),
        None,
    ),
    "entity-links-api-07": (
        lambda it, _: it.post(
            "leads/link", [{**row, "entity_id": it.deal.id} for row in it.link()]
        ),
        None,
    ),
    "leads-api-01": (lambda it, _: it.get("leads", limit=2, page=2, **{"with": "source_id"}), None),
    "leads-api-02": (lambda it, _: it.get(f"leads/{it.deal.id}", **ALL), None),
    "leads-api-04": (
        lambda it, body: it.post(
            "leads",
            [{**body[0], "custom_fields_values": None, "tags_to_add": body[0]["tags_to_add"][:1]}],
        ),
        "leads-api-03",
    ),
    "leads-api-06": (lambda it, _: it.post("leads/complex", [COMPLEX]), None),
    "leads-api-08": (
        lambda it, body: it.patch(
            "leads",
            [{"id": it.deal.id, "price": body[1]["price"], "_embedded": body[1]["_embedded"]}],
        ),
        "leads-api-07",
    ),
    "leads-pipelines-01": (lambda it, _: it.get("leads/pipelines"), None),
    "leads-pipelines-02": (lambda it, _: it.get(f"leads/pipelines/{it.deal.pipeline_id}"), None),
    "leads-pipelines-04": (lambda it, body: it.post("leads/pipelines", body), "leads-pipelines-03"),
    "leads-pipelines-06": (
        lambda it, body: it.patch(f"leads/pipelines/{it.deal.pipeline_id}", body),
        "leads-pipelines-05",
    ),
    "leads-pipelines-07": (lambda it, _: it.get(stages(it), **{"with": "descriptions"}), None),
    "leads-pipelines-08": (lambda it, _: it.get(offer(it), **{"with": "descriptions"}), None),
    "leads-pipelines-10": (
        lambda it, body: it.post(f"{stages(it)}?with=descriptions", body),
        "leads-pipelines-09",
    ),
    "leads-pipelines-12": (
        lambda it, body: it.patch(f"{offer(it)}?with=descriptions", body),
        "leads-pipelines-11",
    ),
    "tasks-api-01": (lambda it, _: it.get("tasks", limit=1, page=1), None),
    "tasks-api-02": (lambda it, _: closed_task(it), None),
    "tasks-api-04": (
        lambda it, body: it.post("tasks", [{**body[0], "entity_id": it.deal.id}]),
        "tasks-api-03",
    ),
    "tasks-api-06": (
        lambda it, body: it.patch("tasks", [{**body[0], "id": it.task.id}]),
        "tasks-api-05",
    ),
    "tasks-api-08": (lambda it, body: it.patch(f"tasks/{it.task.id}", body), "tasks-api-07"),
    "users-api-01": (lambda it, _: it.get("users", **{"with": "role,group"}), None),
    "users-api-02": (lambda it, _: it.get(f"users/{it.kommo.account.admin.id}"), None),
    "webhooks-api-01": (lambda it, _: it.get("webhooks"), None),
    "webhooks-api-03": (lambda it, body: it.post("webhooks", body), "webhooks-api-02"),
}


def closed_task(it: Furnished) -> Any:
    it.kommo.account.complete_task(it.task.id, "Done")
    return it.get(f"tasks/{it.task.id}")


def sample(cases: Path, name: str) -> Any:
    prefix = "" if name.startswith("oauth") else "crm-platform-"
    return json.loads((cases / "kommo/api" / f"{prefix}{name}.json").read_text("utf-8"))


@documented
@pytest.mark.parametrize("name", REPLIES)
def test_the_reply_has_the_documented_shape(cases: Path, kommo: Kommo, name: str) -> None:
    make, request = REPLIES[name]
    reply = make(Furnished(kommo), sample(cases, request) if request else None)
    assert list(lacks(sample(cases, name), reply)) == []
    assert kommo.sandbox.kommo.unknown_calls == []


@documented
def test_a_validation_error_has_the_documented_shape(cases: Path, kommo: Kommo) -> None:
    row = {"custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}]}
    deal = kommo.account.add_deal("Desk")
    reply = kommo.patch(f"leads/{deal.id}", row).json()
    assert reply == sample(cases, "error-codes-01")


@documented
def test_the_token_replies_have_the_documented_shape(cases: Path, kommo: Kommo) -> None:
    pair = kommo.connect()
    assert list(lacks(sample(cases, "oauth-step-by-step-02"), pair)) == []
    again = kommo.refresh(pair["refresh_token"]).json()
    assert list(lacks(sample(cases, "oauth-step-by-step-04"), again)) == []
    where = requests.get(
        f"{kommo.account.url}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": again["refresh_token"]},
        timeout=5,
    ).json()
    assert list(lacks(sample(cases, "oauth-account-subdomain-info-01"), where)) == []


@documented
def test_the_one_time_token_has_the_documented_claims(cases: Path, kommo: Kommo) -> None:
    token = kommo.account.make_one_time_token(client_id=CLIENT_ID)
    claims = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="http://127.0.0.1",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )  # fmt: skip
    assert list(lacks(sample(cases, "oauth-disposable-tokens-01"), claims)) == []


def test_the_comparison_finds_what_is_missing() -> None:
    shown = {"id": 1, "rows": [{"a": "x"}], "flag": True}
    assert list(lacks(shown, {"id": "1", "rows": [{}]})) == [
        ".id: number in the sample, str here",
        ".rows[0].a is missing",
        ".flag is missing",
    ]
    assert list(lacks(shown, {"id": 2, "rows": [], "flag": False})) == [".rows is empty"]
