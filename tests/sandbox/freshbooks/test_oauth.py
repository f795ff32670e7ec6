"""Consent, codes, rotating tokens: reference §1, by raw requests."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests

from server.sandbox import Fault, Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import REDIRECT, Api

pytestmark = pytest.mark.quirk

SECRETS = {"client_id": "app-1", "client_secret": "secret-1"}


def consent_url(world: FreshbooksWorld, **changes: str) -> str:
    asked = {"client_id": "app-1", "response_type": "code", "redirect_uri": REDIRECT} | changes
    return f"{world.auth_url}/oauth/authorize/?{urlencode(asked)}"


def decide(api: Api, url: str, identity_id: int, decision: str = "allow") -> dict[str, str]:
    """What the redirect back carries."""
    form = {"identity_id": str(identity_id), "decision": decision}
    reply = api.call("POST", url, data=form)
    assert reply.status_code == 302, reply.text
    place = reply.headers["Location"]
    assert place.startswith(REDIRECT + "?")
    return {key: values[0] for key, values in parse_qs(urlsplit(place).query).items()}


def code_for(api: Api, world: FreshbooksWorld, biz: Business) -> str:
    return decide(api, consent_url(world), biz.owner.id)["code"]


def token(api: Api, **fields: Any) -> requests.Response:
    return api.call("POST", "/auth/oauth/token", data=SECRETS | fields)


def exchange(api: Api, code: str) -> requests.Response:
    return token(api, grant_type="authorization_code", code=code, redirect_uri=REDIRECT)


def refresh(api: Api, refresh_token: str) -> requests.Response:
    return token(api, grant_type="refresh_token", refresh_token=refresh_token)


def test_the_consent_page_names_the_app_and_leads_back_with_code_and_state(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    url = consent_url(world, state="s-42")
    page = api.call("GET", url)
    assert "app-1 wants to use FreshBooks" in page.text
    assert "ona@example.test" in page.text
    back = decide(api, url, biz.owner.id)
    assert back["state"] == "s-42"
    assert exchange(api, back["code"]).status_code == 200


def test_a_denial_leads_back_with_access_denied(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    back = decide(api, consent_url(world, state="s"), biz.owner.id, "deny")
    assert (back["error"], back["state"]) == ("access_denied", "s")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "nobody"}, "unknown client"),
        ({"redirect_uri": "https://elsewhere.example/"}, "redirect URI"),
        ({"scope": "user:invoices:read user:invoices:fly"}, "invalid, unknown, or malformed"),
        ({"scope": "user:bills:read"}, "invalid, unknown, or malformed"),
    ],
)
def test_a_wrong_consent_request_stays_on_the_page(
    api: Api, world: FreshbooksWorld, changes: dict[str, str], words: str
) -> None:
    reply = api.call("GET", consent_url(world, **changes))
    assert reply.status_code in (400, 401)
    assert words in reply.text


def test_asked_scopes_are_granted_with_the_profile(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    url = consent_url(world, scope="user:invoices:read user:clients:read")
    reply = exchange(api, decide(api, url, biz.owner.id)["code"]).json()
    granted = "user:clients:read user:invoices:read user:profile:read"
    assert reply["scope"] == granted
    claims = jwt.decode(reply["access_token"], options={"verify_signature": False})
    assert claims["scope"] == granted


def test_a_code_works_once(api: Api, world: FreshbooksWorld, biz: Business) -> None:
    code = code_for(api, world, biz)
    assert exchange(api, code).status_code == 200
    again = exchange(api, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_lives_five_minutes(
    api: Api, world: FreshbooksWorld, biz: Business, sandbox: Sandbox
) -> None:
    early, late = code_for(api, world, biz), code_for(api, world, biz)
    sandbox.clock.advance(timedelta(minutes=4, seconds=59))
    assert exchange(api, early).status_code == 200
    sandbox.clock.advance(timedelta(seconds=1))
    assert exchange(api, late).json()["error"] == "invalid_grant"


def test_the_token_endpoint_takes_form_and_json(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    fields = {
        "grant_type": "authorization_code",
        "code": code_for(api, world, biz),
        "redirect_uri": REDIRECT,
    }
    reply = api.post("/auth/oauth/token", **SECRETS, **fields)
    assert set(reply.json()) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
        "created_at",
        "direct_buy_tokens",
    }
    assert len(reply.json()["refresh_token"]) == 64


def test_a_wrong_secret_is_401_invalid_client(api: Api) -> None:
    reply = token(api, grant_type="refresh_token", refresh_token="x", client_secret="wrong")
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


def test_a_refresh_token_works_once_and_reuse_is_400_invalid_grant(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    first = world.grant(biz.owner, "app-1")
    second = refresh(api, first.refresh_token)
    assert second.status_code == 200
    again = refresh(api, first.refresh_token)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(api, second.json()["refresh_token"]).status_code == 200


def test_a_lost_refresh_reply_has_spent_the_token(
    api: Api, world: FreshbooksWorld, biz: Business, sandbox: Sandbox
) -> None:
    grant = world.grant(biz.owner, "app-1")
    sandbox.faults.add(Fault("lose_reply", "POST /auth/oauth/token"))
    with pytest.raises(requests.ConnectionError):
        refresh(api, grant.refresh_token)
    assert refresh(api, grant.refresh_token).json()["error"] == "invalid_grant"


def test_expiry_is_created_at_plus_expires_in_also_of_a_quick_second_refresh(
    api: Api, world: FreshbooksWorld, biz: Business, sandbox: Sandbox
) -> None:
    now = int(sandbox.clock.now().timestamp())
    first = exchange(api, code_for(api, world, biz)).json()
    assert (first["created_at"], first["expires_in"]) == (now, 43200)
    sandbox.clock.advance(timedelta(seconds=30))
    quick = refresh(api, first["refresh_token"]).json()
    assert (quick["created_at"], quick["expires_in"]) == (now, 43199)
    sandbox.clock.advance(timedelta(hours=1))
    slow = refresh(api, quick["refresh_token"]).json()
    assert (slow["created_at"], slow["expires_in"]) == (now + 3630, 43200)


def test_an_access_token_ends_after_twelve_hours(api: Api, sandbox: Sandbox) -> None:
    sandbox.clock.advance(timedelta(seconds=43199))
    assert api.get("/auth/api/v1/users/me").status_code == 200
    sandbox.clock.advance(timedelta(seconds=1))
    assert api.get("/auth/api/v1/users/me").status_code == 401


@pytest.mark.parametrize("kills", [True, False])
def test_a_second_consent_kills_the_first_refresh_token_by_the_switch(
    api: Api, world: FreshbooksWorld, biz: Business, kills: bool
) -> None:
    world.switches.second_consent_kills_first = kills
    first = exchange(api, code_for(api, world, biz)).json()
    exchange(api, code_for(api, world, biz))
    assert refresh(api, first["refresh_token"]).status_code == (400 if kills else 200)


@pytest.mark.parametrize("kills", [True, False])
def test_a_refresh_ends_the_old_access_token_by_the_switch(
    api: Api, world: FreshbooksWorld, biz: Business, kills: bool
) -> None:
    world.switches.refresh_kills_access_token = kills
    old = world.grant(biz.owner, "app-1")
    refresh(api, old.refresh_token)
    api.token = old.access_token
    assert api.get("users/clients").status_code == (401 if kills else 200)


def test_a_revoked_token_stops_at_once(api: Api, world: FreshbooksWorld, biz: Business) -> None:
    grant = world.grant(biz.owner, "app-1")
    api.token = grant.access_token
    assert api.get("users/clients").status_code == 200
    reply = api.call("POST", "/auth/oauth/revoke", data=SECRETS | {"token": grant.access_token})
    assert (reply.status_code, reply.json()) == (200, {})
    assert api.get("users/clients").status_code == 401


def test_both_families_of_endpoints_are_in_the_discovery_document(
    api: Api, world: FreshbooksWorld, biz: Business
) -> None:
    document = api.call("GET", f"{world.auth_url}/.well-known/oauth-authorization-server").json()
    grant = world.grant(biz.owner, "app-1")
    form = SECRETS | {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    assert api.call("POST", document["token_endpoint"], data=form).status_code == 200


def test_the_portal_refuses_http_and_queries_in_redirect_uris(world: FreshbooksWorld) -> None:
    with pytest.raises(ValueError, match="https"):
        world.register_app("x", "y", "http://billhook.example/callback")
    with pytest.raises(ValueError, match="query"):
        world.register_app("x", "y", "https://billhook.example/callback?a=1")
