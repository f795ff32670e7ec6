"""For the operator's machines: alive, ready, and in numbers. No name of a person or an account."""

from collections.abc import Iterator
from functools import cache

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from server.flows.world import World
from server.store import counts, migrate
from server.store.counts import Count
from server.web.auth import Auth, needs
from server.web.here import world

health = Blueprint("health", __name__)


@health.get("/healthz")
@needs(Auth.NOBODY)
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@health.get("/readyz")
@needs(Auth.NOBODY)
def readyz() -> Response:
    """The database answers, with the tables of this version."""
    wrong = _what_is_wrong()
    response = jsonify({"status": "not ready", "why": wrong} if wrong else {"status": "ok"})
    response.status_code = 503 if wrong else 200
    return response


@health.get("/metrics")
@needs(Auth.NOBODY)
def metrics() -> Response:
    """Counts, read from the database at the scrape, so that they hold over all processes."""
    registry = CollectorRegistry()
    registry.register(_Rows(world()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _what_is_wrong() -> str:
    try:
        there = migrate.current(world().database.engine)
    except migrate.NoDatabase:
        return "the database does not answer"
    return "" if there == _head() else "the database needs: billhook migrate"


@cache
def _head() -> str:
    return migrate.head()  # of the code that runs: it does not change


class _Rows(Collector):
    """The families of one scrape."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # else registering would already ask the database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._world.clock.now()
        with self._world.database.read() as session:
            families = (
                ("jobs", "Jobs", ["kind", "state", "cause"], counts.jobs(session)),
                ("documents", "Made upstream", ["kind", "state"], counts.documents(session)),
                ("connections", "To vendors", ["vendor", "state"], counts.connections(session)),
                ("events", "Requests in the inbox", ["kind"], counts.events(session)),
            )
            oldest = counts.oldest_due(session, now)
        for name, text, labels, rows in families:
            yield _family(f"billhook_{name}", text, labels, rows)
        late = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
        yield GaugeMetricFamily(
            "billhook_oldest_due_seconds", "How long a job that could run has waited", value=late
        )


def _family(name: str, text: str, labels: list[str], rows: list[Count]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, count in rows:
        family.add_metric(values, count)
    return family
