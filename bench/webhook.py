"""Kommo's webhook, twenty at a time, while the workers are busy on slow vendors; beside it a bare
insert in the same minute. Also what ``synchronous=FULL`` costs either, against NORMAL."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Figure, at_most, percentile, plain, spread
from bench.load import CONNECTIONS, Post, post_all, stage_hook
from bench.stage import SERVE, UNPACED, Server, Stage, free_port, standing

ACCOUNTS, POSTS, ROUNDS = 10, 400, 4  # posts a round
LONGEST = 2.0  # seconds that Kommo waits
SLOW = 0.3  # seconds of every vendor call


def measure() -> list[Figure]:
    """Against ``billhook serve`` as it is."""
    with standing(ACCOUNTS, SERVE) as stage, _bare(stage, "FULL") as bare:
        hooks, inserts = _rounds(stage, bare)
    ratio = percentile(hooks, 99) / percentile(inserts, 99)
    return [
        plain(f"POST /hooks/kommo/<key>, {CONNECTIONS} at a time", spread(hooks)),
        plain(f"bare insert, {CONNECTIONS} at a time", spread(inserts)),
        plain("p50, hook to bare", f"{_p(hooks, 50) / _p(inserts, 50):.2f}"),
        at_most("p99, hook to bare", ratio, 3.0),
        at_most("the slowest hook, seconds", max(hooks), LONGEST),
    ]


def sync() -> list[Figure]:
    """What the promise "answered 2xx survives a power cut" costs (docs/decisions/0005)."""
    found = {}
    for mode in ("NORMAL", "FULL"):
        chosen = {"BENCH_SYNCHRONOUS": mode}
        with standing(ACCOUNTS, UNPACED, environ=chosen) as stage, _bare(stage, mode) as bare:
            found[mode] = _rounds(stage, bare)
    lines = []
    for place, name in enumerate(("hook", "bare insert")):
        full, normal = found["FULL"][place], found["NORMAL"][place]
        lines += [
            plain(f"{name}, FULL", spread(full)),
            plain(f"{name}, NORMAL", spread(normal)),
            plain(
                f"{name}, FULL to NORMAL",
                f"p50 × {_p(full, 50) / _p(normal, 50):.2f} · "
                f"p99 × {_p(full, 99) / _p(normal, 99):.2f}",
            ),
        ]
    return lines


def _rounds(stage: Stage, bare: Server) -> tuple[list[float], list[float]]:
    """Seconds of the hooks and of the inserts, by turns, the workers busy all the time."""
    stage.box.slow(SLOW, SLOW)
    hooks: list[float] = []
    inserts: list[float] = []
    for _ in range(ROUNDS):
        posts = _hooks(stage)
        hooks += post_all(posts)
        inserts += post_all([Post(f"{bare.url}/insert", post.body) for post in posts])
    return hooks, inserts


def _hooks(stage: Stage) -> list[Post]:
    """Each of a deal of its own, so that each leaves an event, an entry and a job."""
    known = stage.box.addresses()["accounts"]
    return [
        stage_hook(stage.hook_urls[n], known[n]["kommo_id"], deal_id, known[n]["stage"])
        for n, deal_id in stage.deals(POSTS // ACCOUNTS)
    ]


@contextmanager
def _bare(stage: Stage, mode: str) -> Iterator[Server]:
    url = f"http://127.0.0.1:{free_port()}"
    environ = {
        **stage.server.environ,
        "BILLHOOK_DATABASE_URL": f"sqlite:///{stage.folder / 'bare.db'}",
        "BENCH_SYNCHRONOUS": mode,
    }
    server = Server(("-m", "bench.bare"), url, environ, stage.folder / "bare.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _p(seconds: list[float], percent: float) -> float:
    return percentile(seconds, percent)
