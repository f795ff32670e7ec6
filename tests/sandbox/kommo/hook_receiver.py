"""Our end of Kommo's webhooks: subscribing, and a receiver that answers what it is told to."""

from datetime import timedelta

from flask import Flask, Response, request

from server.sandbox.serve import serve
from tests.sandbox.kommo.calls import Kommo


class Receiver:
    """Our end of the webhook: keeps what arrives, answers ``status``."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        app = Flask("receiver")
        app.add_url_rule("/hook", view_func=self.take, methods=["POST"])
        self.served = serve(app)
        self.url = f"{self.served.url}/hook"

    def take(self) -> Response:
        self.got.append((dict(request.headers), request.get_data()))
        return Response(status=self.status)


def subscribe(kommo: Kommo, url: str, *settings: str) -> dict[str, object]:
    reply = kommo.post("webhooks", {"destination": url, "settings": list(settings), "sort": 10})
    assert reply.status_code == 201, reply.text
    body: dict[str, object] = reply.json()
    return body


def tries(kommo: Kommo, receiver: Receiver) -> list[int]:
    """Minutes after the first try at which the hook came again."""
    minutes = []
    for minute in range(0, 240, 5):
        before = len(receiver.got)
        kommo.sandbox.deliveries.deliver_due()
        minutes += [minute] * (len(receiver.got) - before)
        kommo.sandbox.clock.advance(timedelta(minutes=5))
    return minutes
