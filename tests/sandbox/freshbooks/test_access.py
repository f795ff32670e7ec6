"""Who may see and do what: /me, roles, scopes, ids of the wrong kind (reference §1.4)."""

import pytest

from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, result, wrong

pytestmark = pytest.mark.quirk


def test_me_has_no_result_and_tells_three_kinds_of_ids_apart(api: Api, biz: Business) -> None:
    me = api.get("/auth/api/v1/users/me").json()["response"]
    membership = me["business_memberships"][0]
    ids = {me["identity_id"], membership["id"], membership["business"]["id"]}
    assert len(ids) == 3
    assert membership["business"]["account_id"] == "aBc12D"
    assert membership["business"]["timezone"] == "Europe/Vilnius"
    assert me["roles"][0]["accountid"] == "aBc12D"


def test_me_lists_all_businesses_of_a_person(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    world.add_business(biz.owner, "Second", account_id="zZ9yY8")
    rows = api.get("/auth/api/v1/users/me").json()["response"]["business_memberships"]
    assert [row["business"]["account_id"] for row in rows] == ["aBc12D", "zZ9yY8"]
    assert len({row["business"]["id"] for row in rows}) == 2


def test_somebody_who_is_only_a_client_has_a_null_account_id_and_may_not_write(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    guest = world.add_identity("guest@example.test", "Guest")
    world.add_member(biz, guest, "client", "client")
    api.token = world.grant(guest, "app-1").access_token
    me = api.get("/auth/api/v1/users/me").json()["response"]
    assert me["business_memberships"][0]["business"]["account_id"] is None
    assert me["roles"][0] | {"accountid": "aBc12D", "role": "client"} == me["roles"][0]
    assert api.get("invoices/invoices").status_code == 200
    refused = api.post("users/clients", client={"fname": "x"})
    assert wrong(refused) == (403, 1003)
    assert "Permission Denied" in refused.text


def test_a_missing_scope_is_403(api: Api, world: FreshbooksWorld, biz: Business) -> None:
    few = ["user:profile:read", "user:clients:read"]
    api.token = world.grant(biz.owner, "app-1", few).access_token
    assert api.get("users/clients").status_code == 200
    assert api.post("users/clients", client={"fname": "x"}).status_code == 403
    assert api.get("invoices/invoices").status_code == 403


def test_an_id_of_the_wrong_kind_in_the_path_is_404(api: Api, biz: Business) -> None:
    path = f"/accounting/account/{biz.business_id}/users/clients"
    assert api.get(path).status_code == 404


def test_another_ones_account_is_403(api: Api, world: FreshbooksWorld) -> None:
    other = world.add_business(world.add_identity("two@example.test"), "Second")
    assert api.get(f"/accounting/account/{other.account_id}/users/clients").status_code == 403


def test_without_a_token_each_family_words_its_own_401(api: Api) -> None:
    api.token = "nonsense"
    assert wrong(api.get("invoices/invoices")) == (401, 1003)
    assert api.get("/auth/api/v1/users/me").json()["error"] == "unauthenticated"
    assert api.get(api.hooks).json()["errno"] == 401


def test_the_system_is_read_by_its_id(api: Api, biz: Business) -> None:
    assert result(api.get(f"systems/systems/{biz.system_id}"))["system"]["name"] == "Ona's Studio"
    assert api.get("systems/systems/1").status_code == 404
