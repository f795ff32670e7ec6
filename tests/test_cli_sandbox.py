"""``billhook sandbox`` as a process: what it prints is what a server needs, and it ends tidily."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from server.config import Config


@pytest.fixture
def box() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "server.cli", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_prints_the_settings_of_a_server_and_ends_when_told(
    box: "subprocess.Popen[str]",
) -> None:
    assert box.stdout is not None
    lines = []
    for line in box.stdout:
        lines.append(line.strip())
        if line.startswith("BILLHOOK_CLOCK_URL"):
            break
    assert lines[0].startswith("# The board is at http://127.0.0.1:")
    settings = dict(line.split("=", 1) for line in lines[1:])
    config = Config.from_env(settings)
    assert config.public_url == "http://127.0.0.1:8080"
    [board] = re.findall(r"http://\S+/", lines[0])
    with requests.get(f"{board}_state", timeout=5) as reply:
        [account] = reply.json()["kommo"]["accounts"]
    assert account["host"] in settings["BILLHOOK_KOMMO_HOSTS"]
    box.send_signal(signal.SIGTERM)
    assert box.wait(timeout=10) == 0


def test_a_port_that_is_taken_is_said_in_a_sentence(box: "subprocess.Popen[str]") -> None:
    assert box.stdout is not None
    [port] = re.findall(r":(\d+)/", box.stdout.readline())
    command = [sys.executable, "-m", "server.cli", "sandbox", "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: Port {port} is in use. Take another one with --port")
