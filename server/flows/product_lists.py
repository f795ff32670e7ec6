"""Which of an account's lists hold what is sold, where the mapping does not say: elements of other
lists on a deal are no lines."""

from server.flows.run import PRODUCT_LISTS, Run

CACHE = PRODUCT_LISTS


def ids_of(run: Run) -> list[int]:
    known: dict[str, list[int]] | None = run.cached(CACHE)
    if known is None:
        rows = run.kommo.catalogs()
        known = {"ids": [int(row["id"]) for row in rows if row.get("type") == "products"]}
        run.keep(CACHE, known)
    return known["ids"]
