"""Which of an account's lists hold what is sold, where the mapping does not say: elements of other
lists on a deal are no lines."""

from datetime import timedelta

from server.flows.run import Run
from server.store import calls

FRESH = timedelta(minutes=10)
CACHE = "kommo:product-lists"


def ids_of(run: Run) -> list[int]:
    with run.world.database.read() as session:
        known: dict[str, list[int]] | None = calls.cached(
            session, run.account_id, CACHE, run.now() - FRESH
        )
    if known is None:
        rows = run.kommo.catalogs()
        known = {"ids": [int(row["id"]) for row in rows if row.get("type") == "products"]}
        with run.phase() as session:
            calls.cache(session, run.account_id, CACHE, known, run.now())
    return known["ids"]
