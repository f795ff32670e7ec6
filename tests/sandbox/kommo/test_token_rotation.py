"""Refresh tokens rotate, lose their replies, and follow a renamed account (kommo.md §1, §2, §7)."""

from datetime import timedelta

import jwt
import pytest
import requests

from server.sandbox import Fault
from tests.sandbox.kommo.calls import Kommo

pytestmark = pytest.mark.quirk


def test_the_old_refresh_token_lives_until_the_new_one_is_used(kommo: Kommo) -> None:
    first = kommo.connect()
    lost = kommo.refresh(first["refresh_token"]).json()
    second = kommo.refresh(first["refresh_token"])
    assert second.status_code == 200
    third = kommo.refresh(second.json()["refresh_token"])
    assert third.status_code == 200
    dead = kommo.refresh(first["refresh_token"])
    assert (dead.status_code, dead.json()["hint"]) == (401, "Token has been revoked")
    assert kommo.refresh(lost["refresh_token"]).status_code == 401


def test_the_pair_of_a_lost_reply_is_superseded(kommo: Kommo) -> None:
    first = kommo.connect()
    lost = kommo.refresh(first["refresh_token"]).json()
    kommo.refresh(first["refresh_token"])
    kommo.token = lost["access_token"]
    assert kommo.get("account").status_code == 401
    assert kommo.refresh(lost["refresh_token"]).status_code == 401


def test_by_the_other_reading_a_refresh_kills_both_old_tokens_at_once(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.refresh_rule = "at_once"
    first = kommo.connect()
    second = kommo.refresh(first["refresh_token"]).json()
    assert kommo.get("account").status_code == 401
    assert kommo.refresh(first["refresh_token"]).status_code == 401
    assert kommo.refresh(second["refresh_token"]).status_code == 200


def test_by_a_switch_using_the_new_access_token_ends_the_grace(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.access_use_ends_grace = True
    first = kommo.connect()
    kommo.token = kommo.refresh(first["refresh_token"]).json()["access_token"]
    kommo.get("account")
    assert kommo.refresh(first["refresh_token"]).status_code == 401


def test_a_refresh_whose_reply_is_lost_still_rotated(kommo: Kommo) -> None:
    first = kommo.connect()
    kommo.sandbox.faults.add(Fault("lose_reply", match="POST /oauth2/access_token"))
    with pytest.raises(requests.ConnectionError):
        kommo.refresh(first["refresh_token"])
    assert kommo.refresh(first["refresh_token"]).status_code == 200


def test_a_refresh_token_unused_for_three_months_is_dead(kommo: Kommo) -> None:
    pair = kommo.connect()
    kommo.sandbox.clock.advance(timedelta(days=90))
    assert kommo.refresh(pair["refresh_token"]).status_code == 401


def test_two_consents_live_beside_each_other(kommo: Kommo) -> None:
    first, second = kommo.connect(), kommo.connect()
    assert kommo.refresh(first["refresh_token"]).status_code == 200
    assert kommo.refresh(second["refresh_token"]).status_code == 200


def test_a_renamed_account_is_found_through_api_domain(kommo: Kommo) -> None:
    pair = kommo.connect()
    old_host = kommo.account.host
    api_domain = jwt.decode(kommo.token, options={"verify_signature": False, "verify_aud": False})[
        "api_domain"
    ]
    new_host = kommo.account.rename("moved")
    assert new_host != old_host
    assert kommo.refresh(pair["refresh_token"], host=old_host).status_code == 404
    gone = kommo.send("GET", f"http://{old_host}/api/v4/account")
    assert (gone.status_code, gone.json()["code"]) == (401, 101)
    where = requests.get(
        f"http://{api_domain}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": pair["refresh_token"]},
        timeout=5,
    ).json()
    assert (where["id"], where["subdomain"]) == (kommo.account.account_id, "moved")
    assert where["domain"] == new_host
    assert kommo.refresh(pair["refresh_token"], host=new_host).status_code == 200


def test_a_revoked_refresh_token_finds_no_account(kommo: Kommo) -> None:
    reply = requests.get(
        f"{kommo.account.url}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": "def502"},
        timeout=5,
    )
    assert reply.status_code == 401


def test_the_statuses_of_refused_tokens_are_switches(kommo: Kommo) -> None:
    switches = kommo.sandbox.kommo.switches
    switches.token_error_status, switches.moved_status = 400, 401
    pair = kommo.connect()
    old_host = kommo.account.host
    kommo.account.rename("moved")
    assert kommo.refresh(pair["refresh_token"], host=old_host).status_code == 401
    assert kommo.refresh("def502").status_code == 400
