"""Kommo's OAuth without Kommo: hosts, signatures, one-time tokens, the token endpoint's answers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from server.core.errors import Certainty, Reconnect, TryLater
from server.vendors.kommo import auth
from server.vendors.oauth import OAuthApp
from tests.fixed_clock import START
from tests.recorded_cases import ABSENT, cases_folder
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller

HOSTS = (".kommo.com", ".amocrm.com")
APP = OAuthApp("id-1", "s3cret-of-the-integration-0123456789", "https://bill.test:8443/oauth/kommo")


def vectors(key: str) -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    found = json.loads((folder / "kommo/auth-vectors.json").read_text("utf-8"))
    rows = found[key] if key == "one_time_tokens" else found["disconnect"]["bad"]
    return [pytest.param(row, id=row.get("name") or row["why"]) for row in rows]


def of_the_vectors(cases: Path) -> tuple[dict[str, Any], OAuthApp]:
    found = json.loads((cases / "kommo/auth-vectors.json").read_text("utf-8"))
    return found, OAuthApp(found["client_id"], found["client_secret"], found["redirect_uri"])


@pytest.mark.cases("kommo auth")
@pytest.mark.parametrize("row", vectors("one_time_tokens"))
def test_a_one_time_token_comes_out_as_its_vector_says(row: dict[str, Any], cases: Path) -> None:
    found, app = of_the_vectors(cases)
    now = datetime.fromtimestamp(found["clock"], UTC)
    if row["accept"]:
        token = auth.read_one_time_token(row["token"], app, HOSTS, now)
        assert (token.account_id, token.user_id) == (12345678, 87654321)
        assert token.host == "subdomain.kommo.com"
        assert token.is_admin is True
    else:
        with pytest.raises(auth.BadToken):
            auth.read_one_time_token(row["token"], app, HOSTS, now)


@pytest.mark.cases("kommo auth")
@pytest.mark.parametrize("row", vectors("disconnect"))
def test_a_bad_disconnect_signature_is_refused(row: dict[str, Any], cases: Path) -> None:
    found, app = of_the_vectors(cases)
    good = {
        key: values[0]
        for key, values in parse_qs(
            urlsplit(found["disconnect"]["request"].split()[1]).query
        ).items()
    }
    assert auth.disconnect_is_genuine(
        app,
        account_id=good["account_id"],
        client_id=good["client_uuid"],
        signature=good["signature"],
    )
    assert not auth.disconnect_is_genuine(
        app,
        account_id=str(row.get("account_id", good["account_id"])),
        client_id=good["client_uuid"],
        signature=row.get("signature", ""),
    )


def test_the_reference_s_own_disconnect_vector_holds() -> None:
    app = OAuthApp("aaaa-bbbb", "s3cr3t", "")
    signature = "79c9e38c055b9264cf0726ea3c1df792e30165ca166f5bb265ae5485f31f1ec4"
    args = {"account_id": "123", "client_id": "aaaa-bbbb", "signature": signature}
    assert auth.disconnect_is_genuine(app, **args)
    assert not auth.disconnect_is_genuine(app, **{**args, "client_id": "other"})
    assert not auth.disconnect_is_genuine(app, **{**args, "account_id": "１２３"})
    assert not auth.disconnect_is_genuine(app, **{**args, "signature": "ü" * 64})
    assert not auth.disconnect_is_genuine(OAuthApp("aaaa-bbbb", "", ""), **args)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("demo.kommo.com", True),
        ("a-b.c.amocrm.com", True),
        ("127.0.0.1:8081", True),
        ("127.0.0.1:8082", False),
        ("kommo.com", False),
        (".kommo.com", False),
        ("demo.kommo.com.evil.test", False),
        ("evilkommo.com", False),
        ("demo.kommo.com:443", False),
        ("demo.kommo.com/", False),
        ("user@demo.kommo.com", False),
        ("evil.test/.kommo.com", False),
        ("evil.test#.kommo.com", False),
        ("evil.test\\.kommo.com", False),
        ("demo..kommo.com", False),
        ("-demo.kommo.com", False),
        ("demo.kommo.com\n", False),
        ("DEMO.kommo.com", False),
        ("dëmo.kommo.com", False),
        ("", False),
    ],
)
def test_only_hosts_of_the_vendor_may_be_called(host: str, allowed: bool) -> None:
    assert auth.host_allowed(host, (*HOSTS, "127.0.0.1:8081")) is allowed


def test_an_empty_suffix_admits_nobody() -> None:
    assert not auth.host_allowed("", ("",))
    assert not auth.host_allowed("demo.kommo.com", ("",))


def test_the_consent_page_is_asked_with_state_and_mode() -> None:
    url = auth.authorize_url("https://www.kommo.com/oauth", "id-1", "s&1", "post_message")
    assert url == "https://www.kommo.com/oauth?client_id=id-1&state=s%261&mode=post_message"


TOKENS = b'{"token_type":"Bearer","expires_in":86400,"access_token":"a","refresh_token":"r"}'


def test_a_code_becomes_a_pair_that_lives_by_our_clock(caller_of: MakeCaller) -> None:
    asked: list[bytes] = []

    def keeps(line: Line) -> None:
        asked.append(line.request())
        line.write(answer(TOKENS))

    with ByteServer(keeps) as server:
        pair = auth.exchange(caller_of("kommo"), server.host, APP, "code-1", insecure=True)
    assert (pair.access, pair.refresh) == ("a", "r")
    assert pair.expires_at == START + timedelta(days=1)
    assert asked[0].startswith(b"POST /oauth2/access_token ")
    assert json.loads(asked[0].partition(b"\r\n\r\n")[2]) == {
        "client_id": "id-1",
        "client_secret": APP.client_secret,
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": "https://bill.test:8443/oauth/kommo",
    }


REVOKED = b'{"hint":"Token has been revoked","title":"x","type":"y","status":401,"detail":"z"}'


@pytest.mark.parametrize(
    ("reply", "outcome", "cause", "certainty"),
    [
        (answer(REVOKED, "401 No"), Reconnect, "", None),
        (answer(REVOKED, "400 No"), Reconnect, "", None),
        (answer(b"<html>", "404 No"), Reconnect, "", None),
        (answer(b"<html>", "403 No"), TryLater, "kommo:forbidden", Certainty.REFUSED),
        (answer(b"", "429 No"), TryLater, "kommo:throttled", Certainty.REFUSED),
        (answer(b"<html>", "400 No"), TryLater, "kommo:down", Certainty.UNCERTAIN),
        (answer(b"<html>", "502 No"), TryLater, "kommo:down", Certainty.UNCERTAIN),
        (answer(b"<html>"), TryLater, "kommo:down", Certainty.UNCERTAIN),
        (answer(b"{}"), TryLater, "kommo:down", Certainty.UNCERTAIN),
        (answer(TOKENS.replace(b"86400", b'"x"')), TryLater, "kommo:down", Certainty.UNCERTAIN),
        (
            answer(b'{"error":"invalid_client"}', "401 No"),
            TryLater,
            "kommo:forbidden",
            Certainty.REFUSED,
        ),
    ],
)
def test_each_answer_of_the_token_endpoint_means_one_thing(
    reply: bytes,
    outcome: type[Exception],
    cause: str,
    certainty: Certainty | None,
    caller_of: MakeCaller,
) -> None:
    def answers(line: Line) -> None:
        line.request()
        line.write(reply)

    with ByteServer(answers) as server, pytest.raises(outcome) as caught:
        auth.refresh(caller_of("kommo"), server.host, APP, "r", insecure=True)
    if isinstance(caught.value, TryLater):
        assert (caught.value.cause, caught.value.certainty) == (cause, certainty)


def test_a_host_that_is_not_the_vendor_s_is_never_asked_where_the_account_is(
    caller_of: MakeCaller,
) -> None:
    with ByteServer(lambda line: None) as server:
        token = jwt.encode({"api_domain": server.host}, "k" * 32, "HS256")
        with pytest.raises(Reconnect):
            auth.current_host(caller_of("kommo"), token, "refresh", HOSTS)
        assert server.connections == 0


@pytest.mark.parametrize("token", ["opaque", jwt.encode({}, "k" * 32, "HS256")])
def test_a_token_that_names_no_host_means_connecting_again(
    token: str, caller_of: MakeCaller
) -> None:
    with pytest.raises(Reconnect):
        auth.current_host(caller_of("kommo"), token, "refresh", HOSTS)


def test_a_foreign_host_in_the_answer_is_refused(caller_of: MakeCaller) -> None:
    def answers(line: Line) -> None:
        line.request()
        line.write(answer(b'{"id":1,"subdomain":"x","domain":"evil.test"}'))

    with ByteServer(answers) as server:
        token = jwt.encode({"api_domain": server.host}, "k" * 32, "HS256")
        with pytest.raises(Reconnect):
            auth.current_host(caller_of("kommo"), token, "refresh", (server.host,))


def test_nothing_secret_stands_in_what_an_app_or_a_pair_shows() -> None:
    assert "s3cret" not in repr(APP)
