"""Each account has a host of its own; many may call at once."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from server.sandbox import Ports, Sandbox
from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo


def free_ports(count: int) -> tuple[int, ...]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = tuple(one.getsockname()[1] for one in sockets)
    for one in sockets:
        one.close()
    return ports


def test_accounts_and_renames_take_the_listed_ports_in_turn() -> None:
    first, second, third = free_ports(3)
    with Sandbox(ports=Ports(kommo_accounts=(first, second, third))) as sandbox:
        demo, other = sandbox.kommo.add_account("demo"), sandbox.kommo.add_account("other")
        assert [demo.host, other.host] == [f"127.0.0.1:{first}", f"127.0.0.1:{second}"]
        assert demo.rename("moved") == f"127.0.0.1:{third}"


def test_an_account_made_before_the_start_gets_its_host_at_the_start() -> None:
    sandbox = Sandbox()
    account = sandbox.kommo.add_account("demo")
    with pytest.raises(RuntimeError, match="not started"):
        _ = account.host
    with sandbox:
        assert requests.get(f"{account.url}/api/v4/account", timeout=5).status_code == 401


def test_a_stopped_sandbox_leaves_no_port_open() -> None:
    with Sandbox() as sandbox:
        urls = [sandbox.control_url, sandbox.kommo.add_account("demo").url, sandbox.kommo.auth_url]
    for url in urls:
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


def test_many_calls_at_once_lose_nothing(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")

    def write(number: int) -> int:
        kommo.patch(f"leads/{deal.id}", {"name": f"Desk {number}"})
        return kommo.post("leads", [{"name": f"Deal {number}"}]).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(write, range(60))) == {200}
    assert len(kommo.account.deals) == 61
    kinds = [event.type for event in kommo.account.events]
    assert kinds.count("lead_added") == 61
    assert kinds.count("name_field_changed") == 60


def test_two_accounts_share_an_integration_and_nothing_else(kommo: Kommo) -> None:
    world = kommo.sandbox.kommo
    other = Kommo(kommo.sandbox, world.add_account("other"))
    assert other.account.make_code(CLIENT_ID) != kommo.account.make_code(CLIENT_ID)
    other.connect()
    kommo.account.add_deal("Desk")
    assert other.get("leads").status_code == 204
    assert other.get("account").json()["id"] != kommo.get("account").json()["id"]
    kommo.account.disable_integration(CLIENT_ID)
    assert other.get("account").status_code == 200
    world.register_integration(CLIENT_ID, SECRET, REDIRECT)
    assert kommo.get("account").status_code == 401
