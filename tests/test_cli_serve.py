"""``billhook serve`` and ``billhook connect`` as processes, against the sandbox."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.keys import AccountId
from server.sandbox.browser import Browser, call
from server.store import accounts
from tests.processes import Process, eventually
from tests.rig import FRESHBOOKS_ID, FRESHBOOKS_SECRET, KOMMO_ID, KOMMO_SECRET, Rig, free_ports
from tests.web.test_bad_input import BODIES


class Outside:
    """A rig whose own server stands aside: the sandbox, the database and the settings."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = rig.environ() | {"BILLHOOK_PUBLIC_URL": self.url}
        kommo, books = f"{self.url}/oauth/kommo", f"{self.url}/oauth/freshbooks"
        rig.sandbox.kommo.register_integration(
            KOMMO_ID, KOMMO_SECRET, f"{kommo}/callback", f"{kommo}/revoked"
        )
        rig.sandbox.freshbooks.register_app(FRESHBOOKS_ID, FRESHBOOKS_SECRET, f"{books}/callback")

    def serve(self) -> Process:
        return Process(self.environ, "serve", "--port", str(self.port))

    def connect(self, *words: str) -> Process:
        return Process(self.environ, "connect", *words)

    def accounts(self) -> list[str]:
        return [row.name for row in self.rig.in_database(accounts.everyone)]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with Rig(tmp_path) as rig:
        rig.clock.freeze(False)
        yield Outside(rig)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """One server for all that only send to it; what one of them connects the others do not mind."""
    with Rig(tmp_path_factory.mktemp("served")) as rig:
        rig.clock.freeze(False)
        outside = Outside(rig)
        with outside.serve() as server:
            server.line_with("listens")
            yield outside
        assert "Traceback" not in server.said()


def consent(process: Process, **chosen: str) -> None:
    """Open the link that the command printed, and allow."""
    url = process.line_with("/start?ticket=")
    with Browser() as browser:
        assert browser.decide(browser.get(url), **chosen).status_code == 200


def test_a_server_and_two_commands_connect_an_account(outside: Outside) -> None:
    rig = outside.rig
    with outside.serve() as server:
        assert server.line_with("listens") == f"Billhook listens on {outside.url}"
        with outside.connect("kommo") as kommo:
            consent(kommo)
            assert kommo.line_with("Kommo:") == f"Kommo: Demo ({rig.kommo.host})"
            kommo.answer("y")
            assert kommo.line_with("called").endswith("called demo.")
            assert kommo.ended() == 0
        with outside.connect("freshbooks", "demo", "--yes") as books:
            consent(books)
            assert "Ona's Studio" in books.line_with("FreshBooks:")
            assert books.ended() == 0
        rig.account_id = AccountId(1)
        eventually(lambda: rig.kommo.hooks)  # the engine in the server's process made it
        (hook,) = rig.kommo.hooks.values()
        assert hook.destination.startswith(f"{outside.url}/hooks/kommo/")
        assert server.stop() == 0
    assert "Traceback" not in server.said()


def test_a_person_who_says_no_at_the_command_line_connects_nothing(served: Outside) -> None:
    before = served.accounts()
    with served.connect("kommo") as kommo:
        consent(kommo)
        kommo.line_with("Account:")
        kommo.answer("n")
        assert kommo.ended() == 1
    assert served.accounts() == before


def test_a_refusal_in_the_browser_ends_the_command(served: Outside) -> None:
    with served.connect("kommo", "--yes") as kommo:
        url = kommo.line_with("/start?ticket=")
        with Browser() as browser:
            browser.decide(browser.get(url), decision="deny")
        assert "not allowed" in kommo.line_with("Error")
        assert kommo.ended() == 1


def test_several_businesses_are_asked_for(served: Outside) -> None:
    rig = served.rig
    rig.sandbox.kommo.add_account("bakers")
    bakery = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    with served.connect("kommo", "--yes") as kommo:
        consent(kommo, account="bakers")
        assert kommo.ended() == 0
    with served.connect("freshbooks", "--yes") as hasty:
        consent(hasty)
        assert "Say which --business" in hasty.line_with("Error")
    with served.connect("freshbooks") as books:
        consent(books)
        books.line_with("Ona's Bakery")
        books.answer(str(bakery.business_id))
        books.line_with("Account:")
        books.answer("y")
        assert "Ona's Bakery" in books.line_with("Connected")
    rig.account_id = AccountId(1)
    assert rig.connection("freshbooks").realm == bakery.account_id


def test_without_its_settings_the_server_does_not_start(tmp_path: Path) -> None:
    environ = {"BILLHOOK_DATABASE_URL": f"sqlite:///{tmp_path}/billhook.db"}
    with Process(environ, "serve", "--port", "0") as server:
        assert server.ended() == 1
    assert "BILLHOOK_PUBLIC_URL is not set" in server.said()
    assert "Traceback" not in server.said()


def test_the_server_makes_its_own_database(outside: Outside, tmp_path: Path) -> None:
    file = tmp_path / "fresh" / "billhook.db"
    outside.environ["BILLHOOK_DATABASE_URL"] = f"sqlite:///{file}"
    with outside.serve() as server:
        server.line_with("listens")
        assert call("GET", f"{outside.url}/readyz").json() == {"status": "ok"}
    assert file.is_file()


@pytest.mark.parametrize("what", BODIES)
def test_bad_bodies_are_refused_by_the_real_server_too(served: Outside, what: str) -> None:
    content_type, body = BODIES[what]
    headers = {"Content-Type": content_type} if content_type else {}
    for path in ("/hooks/kommo/unknown", "/oauth/kommo/callback", "/healthz", "/nothing"):
        reply = call("POST", served.url + path, data=body, headers=headers)
        assert 400 <= reply.status_code < 500
    assert call("GET", f"{served.url}/healthz").status_code == 200


def test_a_second_engine_waits_for_the_first_one_s_death(outside: Outside) -> None:
    with outside.serve() as first:
        first.line_with("listens")
        (port,) = free_ports(1)
        with Process(outside.environ, "serve", "--port", str(port)) as second:
            second.line_with("another process runs this database's jobs")
            first.stop(signal.SIGKILL)
            second.line_with("jobs run here now")
