"""What every answer has: an auth on its route, safe headers, an error in the caller's form."""

import pytest

from server.sandbox.browser import call
from server.web.auth import Auth
from tests.rig import Rig

# Those that no session opens; the pages' rights stand in tests/guards/test_routes.py.
DOORS = {
    "health.healthz": Auth.NOBODY,
    "health.readyz": Auth.NOBODY,
    "health.metrics": Auth.NOBODY,
    "static": Auth.NOBODY,
    "oauth.start": Auth.TICKET,
    "oauth.window": Auth.NOBODY,
    "oauth.start_in_window": Auth.TICKET,
    "oauth.kommo_callback": Auth.STATE,
    "oauth.freshbooks_callback": Auth.STATE,
    "oauth.kommo_revoked": Auth.SIGNATURE,
    "hooks.kommo": Auth.PATH_KEY,
    "hooks.freshbooks": Auth.SIGNATURE,
    "history.export": Auth.TICKET,
    "embed.shell": Auth.NOBODY,
    "embed.preflight": Auth.NOBODY,
    "embed.begin": Auth.ONE_TIME_TOKEN,
    "embed.renew": Auth.OWN_SESSION,
    "embed.first": Auth.OWN_SESSION,
    "sign_in.page": Auth.NOBODY,
    "sign_in.start": Auth.NOBODY,
    "sign_in.choose": Auth.STATE,
    "sign_in.chosen": Auth.STATE,
    "sign_in.out": Auth.OWN_SESSION,
}


def test_every_route_declares_its_auth(shared_rig: Rig) -> None:
    views = shared_rig.app.view_functions
    auths = {name: getattr(view, "auth", None) for name, view in views.items()}
    assert {name: auth for name, auth in auths.items() if auth is not Auth.SESSION} == DOORS


@pytest.mark.parametrize("path", ["/healthz", "/no/such/page", "/oauth/kommo/start", "/metrics"])
def test_every_answer_carries_safe_headers(shared_rig: Rig, path: str) -> None:
    headers = call("GET", shared_rig.url + path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_a_person_gets_a_page_and_a_machine_gets_json(shared_rig: Rig) -> None:
    page = call("GET", f"{shared_rig.url}/nothing", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing here." in page.text
    assert 'href="/app/"' in page.text
    told = call("GET", f"{shared_rig.url}/nothing", headers={"Accept": "application/json"})
    assert (told.status_code, told.json()) == (404, {"error": "There is nothing here."})


def test_what_stands_in_a_url_never_becomes_markup(shared_rig: Rig) -> None:
    reply = call("GET", f"{shared_rig.url}/oauth/kommo/start?ticket=<script>alert(1)</script>")
    assert "<script" not in reply.text


def test_the_sheet_of_the_pages_is_served(shared_rig: Rig) -> None:
    page = call("GET", f"{shared_rig.url}/nothing")
    assert '/static/billhook.css"' in page.text
    assert call("GET", f"{shared_rig.url}/static/billhook.css").status_code == 200


def test_our_own_fault_is_a_sentence_and_no_traceback(
    bare_rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database's tables are gone under a running server."""
    with bare_rig.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE oauth_ticket")
    reply = call("GET", f"{bare_rig.url}/oauth/kommo/start?ticket=x")
    assert (reply.status_code, "Traceback" in reply.text) == (500, False)
    assert "on our side" in reply.text
    printed = capsys.readouterr()
    assert "oauth_ticket" in printed.out + printed.err  # the operator's log has it


def test_the_process_is_alive_and_ready(shared_rig: Rig) -> None:
    assert call("GET", f"{shared_rig.url}/healthz").json() == {"status": "ok"}
    assert call("GET", f"{shared_rig.url}/readyz").json() == {"status": "ok"}


def test_a_database_of_another_version_is_not_ready(bare_rig: Rig) -> None:
    with bare_rig.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    reply = call("GET", f"{bare_rig.url}/readyz")
    assert (reply.status_code, "billhook migrate" in reply.json()["why"]) == (503, True)


def test_the_metrics_count_what_there_is(rig: Rig) -> None:
    text = call("GET", f"{rig.url}/metrics").text
    assert 'billhook_connections{state="connected",vendor="kommo"} 1.0' in text
    assert 'billhook_jobs{cause="",kind="ensure",state="done"} 1.0' in text
    assert "billhook_oldest_due_seconds 0.0" in text
    for private in ("demo", "Ona", str(rig.kommo.account_id)):
        assert private not in text
