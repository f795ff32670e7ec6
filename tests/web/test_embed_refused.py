"""Who does not get in from Kommo: with a token used up, too old or of somebody else, or from
another page than the account's own."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox.kommo.account import Account
from server.store.tickets import UsedTokenRow
from server.web import sessions
from tests.rig import KOMMO_ID, Rig
from tests.web.from_kommo import EVIL, ask, opened, refusal, token_of

TOO_OLD = "not valid or too old"


@pytest.fixture(scope="module")
def other(shared_rig: Rig) -> Account:
    """A Kommo account that is not connected."""
    return shared_rig.sandbox.kommo.add_account("other")


def test_a_token_works_once(shared_rig: Rig) -> None:
    token = token_of(shared_rig)
    opened(shared_rig, ask(shared_rig, token))
    status, sentence = refusal(ask(shared_rig, token))
    assert (status, "used before" in sentence) == (401, True)


def test_a_used_token_is_remembered_for_as_long_as_it_could_work(rig: Rig) -> None:
    token = token_of(rig)
    opened(rig, ask(rig, token))
    rig.later(minutes=30, seconds=29)
    rig.sweep()
    assert ask(rig, token).status_code == 401
    row = rig.in_database(lambda session: session.query(UsedTokenRow).one_or_none())
    assert row is None or row.expires_at > rig.clock.now() - sessions.LIFE


def test_an_expired_token_proves_nothing(rig: Rig) -> None:
    token = token_of(rig)
    rig.clock.advance(timedelta(minutes=31))
    status, sentence = refusal(ask(rig, token))
    assert (status, TOO_OLD in sentence) == (401, True)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://billhook.example.com"},
        {"client_uuid": "00000000-0000-4000-8000-000000000000"},
        {"iss": "https://evil.example"},
        {"iss": "https://demo.kommo.com.evil.example"},
        {"exp": 1},
        {"nbf": 4102444800},
    ],
)
def test_a_token_for_somebody_else_proves_nothing(shared_rig: Rig, claims: dict[str, Any]) -> None:
    status, sentence = refusal(ask(shared_rig, token_of(shared_rig, **claims)))
    assert (status, TOO_OLD in sentence) == (401, True)


def test_a_token_that_others_signed_proves_nothing(shared_rig: Rig) -> None:
    shared_rig.sandbox.kommo.register_integration(
        "other", "x" * 40, f"{shared_rig.url}/oauth/kommo/callback"
    )
    token = shared_rig.kommo.make_one_time_token(client_id="other", client_uuid=KOMMO_ID)
    assert refusal(ask(shared_rig, token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 10_000, "\xff"])
def test_what_is_no_token_proves_nothing(shared_rig: Rig, token: str) -> None:
    assert refusal(ask(shared_rig, token))[0] == 401


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1"])
def test_another_page_gets_nothing_out_of_a_good_token(shared_rig: Rig, origin: str) -> None:
    token = token_of(shared_rig)
    reply = ask(shared_rig, token, Origin=origin)
    assert refusal(reply)[0] == 403
    assert "Access-Control-Allow-Origin" not in reply.headers
    opened(shared_rig, ask(shared_rig, token))  # and it was not used up


def test_another_accounts_page_gets_nothing_out_of_a_good_token(
    shared_rig: Rig, other: Account
) -> None:
    assert refusal(ask(shared_rig, token_of(shared_rig), Origin=other.url))[0] == 403


def test_a_caller_without_an_origin_is_no_browser_and_gets_in(shared_rig: Rig) -> None:
    reply = ask(shared_rig, token_of(shared_rig), Origin="")
    opened(shared_rig, reply)
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_an_account_that_is_not_connected_is_told_what_to_do(
    shared_rig: Rig, other: Account
) -> None:
    token = other.make_one_time_token()
    status, sentence = refusal(ask(shared_rig, token, Origin=other.url))
    assert status == 409
    assert "has not arrived" in sentence
    assert "billhook connect kommo" in sentence
    # Another account's token with our account's address.
    assert refusal(ask(shared_rig, other.make_one_time_token(iss=shared_rig.kommo.url)))[0] == 409


def test_an_address_that_is_not_the_accounts_is_refused(shared_rig: Rig, other: Account) -> None:
    """A token of the account whose issuer is another account's host."""
    token = token_of(shared_rig, iss=other.url)
    status, sentence = refusal(ask(shared_rig, token, Origin=other.url))
    assert (status, "another address" in sentence) == (409, True)
    assert shared_rig.connection("kommo").realm == shared_rig.kommo.host


def test_a_refusal_is_said_in_the_persons_language_and_as_json(shared_rig: Rig) -> None:
    reply = ask(shared_rig, "x", lang="pt")
    assert reply.headers["Content-Type"] == "application/json"
    # So that it can be shown.
    assert reply.headers["Access-Control-Allow-Origin"] == shared_rig.kommo.url
