"""What each mischief between us and Kommo means: the outcome, and what is known of the call."""

from typing import Any

import pytest

from server.core.errors import Reconnect, TryLater
from server.sandbox import Fault, Sandbox
from server.vendors.http import Caller
from server.vendors.kommo import auth
from server.vendors.kommo.client import KommoClient
from tests.fixed_clock import START
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import Tokens
from tests.vendors.kommo.conftest import APP, Home

TASKS = "POST /api/v4/tasks"

FAULTS = [
    (Fault("lose_reply", TASKS), "kommo:down", "uncertain", 1),
    (Fault("error_after", TASKS, status=500), "kommo:down", "uncertain", 1),
    (Fault("error_before", TASKS, status=503), "kommo:down", "uncertain", 0),
    (Fault("error_before", TASKS, status=504), "kommo:down", "uncertain", 0),
    (Fault("html", TASKS, status=502), "kommo:down", "uncertain", 0),
    (Fault("html", TASKS, status=200), "kommo:down", "uncertain", 0),
    (Fault("html", TASKS, status=400), "kommo:down", "uncertain", 0),
    (Fault("html_after", TASKS, status=502), "kommo:down", "uncertain", 1),
    (Fault("truncate", TASKS), "kommo:down", "uncertain", 1),
    (Fault("late_commit", TASKS, seconds=5), "kommo:down", "uncertain", 0),
    (Fault("throttle", TASKS), "kommo:throttled", "refused", 0),
    (Fault("conflict", TASKS), "kommo:refused", "refused", 0),
    (Fault("forbidden_html", TASKS), "kommo:forbidden", "uncertain", 0),
    (Fault("error_before", TASKS, status=402), "kommo:forbidden", "refused", 0),
    (Fault("error_before", TASKS, status=403), "kommo:forbidden", "refused", 0),
    (Fault("error_before", TASKS, status=422), "kommo:refused", "refused", 0),
]


@pytest.mark.parametrize(
    ("fault", "cause", "certainty", "made"),
    FAULTS,
    ids=[f"{fault.kind}-{fault.status}" for fault, *_ in FAULTS],
)
def test_a_create_says_what_is_known_of_it(
    client: KommoClient,
    account: Any,
    sandbox: Sandbox,
    fault: Fault,
    cause: str,
    certainty: str,
    made: int,
) -> None:
    deal = account.add_deal("Chairs", 100)
    sandbox.faults.add(Fault(fault.kind, fault.match, seconds=fault.seconds, status=fault.status))
    with pytest.raises(TryLater) as caught:
        client.create_task(deal.id, "Look", None, START, "r-1")
    assert (caught.value.cause, caught.value.certainty) == (cause, certainty)
    assert caught.value.sentence.endswith(".")
    assert len(account.tasks) == made


@pytest.mark.parametrize("body", ["json", "html"])
def test_throttling_in_either_shape_waits_as_long_as_it_is_told(
    client: KommoClient, sandbox: Sandbox, body: str
) -> None:
    sandbox.kommo.switches.throttle_body = body
    sandbox.faults.add(Fault("throttle", "GET /api/v4/leads/*", seconds=9))
    with pytest.raises(TryLater) as caught:
        client.deal(1)
    assert caught.value.after is not None
    assert (caught.value.after.total_seconds(), caught.value.burns) == (9, False)


def test_a_stopped_server_was_not_sent_anything(
    client: KommoClient, account: Any, sandbox: Sandbox, home: Home
) -> None:
    host = account.host
    sandbox.kommo.stop()
    home.host = host
    with pytest.raises(TryLater) as caught:
        client.create_task(1, "Look", None, START, "r-1")
    assert (caught.value.cause, caught.value.certainty) == ("kommo:down", "not_sent")


def test_an_expired_token_is_refreshed_once_and_the_call_made_again(
    client: KommoClient, account: Any, sandbox: Sandbox, home: Home
) -> None:
    deal = account.add_deal("Chairs", 100)
    sandbox.faults.add(Fault("unauthorized", TASKS))
    client.create_task(deal.id, "Look", None, START, "r-1")
    assert home.tokens.version == 1
    assert len(account.tasks) == 1


def test_a_second_refusal_means_connecting_again(
    client: KommoClient, sandbox: Sandbox, home: Home
) -> None:
    sandbox.faults.add(Fault("unauthorized", "GET /api/v4/*", times=None))
    with pytest.raises(Reconnect):
        client.deal(1)
    assert home.tokens.version == 1


def test_a_disabled_integration_means_connecting_again(client: KommoClient, account: Any) -> None:
    account.disable_integration(APP.client_id)
    with pytest.raises(Reconnect):
        client.account()


@pytest.mark.parametrize("moved_status", [404, 401])
def test_a_renamed_account_is_found_and_the_call_made_there(
    client: KommoClient, account: Any, sandbox: Sandbox, home: Home, moved_status: int
) -> None:
    sandbox.kommo.switches.moved_status = moved_status
    deal = account.add_deal("Chairs", 100)
    home.allow(account.rename("renamed"))
    found = client.deal(deal.id)
    assert found is not None
    assert found["id"] == deal.id
    assert home.host == account.host


def test_a_renamed_account_outside_the_allowed_hosts_is_not_followed(
    client: KommoClient, account: Any
) -> None:
    account.rename("renamed")
    with pytest.raises(Reconnect):
        client.deal(1)


def test_a_code_and_a_refresh_token_work_once(
    account: Any, caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.kommo.switches.refresh_rule = "at_once"
    code = account.make_code(APP.client_id)
    pair = auth.exchange(caller, account.host, APP, code, insecure=True)
    with pytest.raises(Reconnect):
        auth.exchange(caller, account.host, APP, code, insecure=True)
    newer = auth.refresh(caller, account.host, APP, pair.refresh, insecure=True)
    assert newer.refresh != pair.refresh
    with pytest.raises(Reconnect):
        auth.refresh(caller, account.host, APP, pair.refresh, insecure=True)


def test_a_lost_refresh_is_repeated_with_the_old_token(
    account: Any, caller: Caller, sandbox: Sandbox
) -> None:
    pair = auth.exchange(caller, account.host, APP, account.make_code(APP.client_id), insecure=True)
    sandbox.faults.add(Fault("lose_reply", "POST /oauth2/access_token"))
    with pytest.raises(TryLater) as caught:
        auth.refresh(caller, account.host, APP, pair.refresh, insecure=True)
    assert caught.value.certainty == "uncertain"
    assert auth.refresh(caller, account.host, APP, pair.refresh, insecure=True).access


def test_a_wrong_secret_is_not_the_account_s_fault(account: Any, caller: Caller) -> None:
    """Kommo answers it like a dead code (401), so it cannot be told apart: connect again."""
    code = account.make_code(APP.client_id)
    wrong = type(APP)(APP.client_id, "another", APP.redirect_uri)
    with pytest.raises(Reconnect):
        auth.exchange(caller, account.host, wrong, code, insecure=True)


def answers(line: Line, *replies: bytes) -> None:
    for reply in replies:
        if not line.request():
            return
        line.write(reply)


@pytest.mark.parametrize(
    "body", [b"[]", b'"text"', b'{"_embedded": []}', b'{"_embedded": {"pipelines": [{}]}}']
)
def test_a_foreign_shape_is_kommo_s_fault_and_uncertain(body: bytes, caller_of: MakeCaller) -> None:
    with ByteServer(lambda line: answers(line, answer(body))) as server:
        client = KommoClient(server.host, Tokens(), caller_of("kommo"), insecure=True)
        with pytest.raises(TryLater) as caught:
            client.pipelines()
    assert (caught.value.cause, caught.value.certainty) == ("kommo:down", "uncertain")


def test_a_deal_is_not_taken_for_deleted_where_the_whole_account_is_gone(
    caller_of: MakeCaller,
) -> None:
    gone = answer(b'{"status": 404}', "404 No")
    with ByteServer(lambda line: answers(line, *[gone] * 4)) as server:
        client = KommoClient(server.host, Tokens(), caller_of("kommo"), insecure=True)
        with pytest.raises(Reconnect):
            client.deal(5)


def test_a_redirected_read_asks_where_the_account_is(caller_of: MakeCaller) -> None:
    away = answer(b"", "301 Moved", "Location: http://127.0.0.1:1/\r\n")
    tokens = Tokens()
    with ByteServer(lambda line: answers(line, away, answer(b'{"id": 5}'))) as server:
        client = KommoClient(server.host, tokens, caller_of("kommo"), insecure=True)
        assert client.deal(5) == {"id": 5}
    assert tokens.version == 1


def test_a_redirected_create_is_uncertain(caller_of: MakeCaller) -> None:
    away = answer(b"", "307 Moved", "Location: http://127.0.0.1:1/\r\n")
    with ByteServer(lambda line: answers(line, away)) as server:
        client = KommoClient(server.host, Tokens(), caller_of("kommo"), insecure=True)
        with pytest.raises(TryLater) as caught:
            client.create_task(5, "Look", None, START, "r-1")
    assert caught.value.certainty == "uncertain"
