"""The deal fields that Billhook writes: found by code, made by code when missing, cached."""

from dataclasses import replace

from server.core.errors import TryLater
from server.core.settings import WriteBack
from server.flows.run import FIELDS, Run
from server.store import calls
from server.vendors.kommo.fields import DEAL_FIELDS, FieldInput, FieldSpec

CACHE = FIELDS


def specs_of(into: WriteBack) -> list[FieldSpec]:
    """What the mapping writes back, under the codes that it names."""
    codes = (into.link, into.number, into.amount, into.status)
    return [replace(spec, code=code) for spec, code in zip(DEAL_FIELDS, codes, strict=True) if code]


def ensure(run: Run, specs: list[FieldSpec]) -> dict[str, int]:
    """Field id of every code. Raises the outcomes."""
    known: dict[str, int] = run.cached(CACHE) or {}
    if not all(spec.code in known for spec in specs):
        known = run.kommo.ensure_deal_fields(specs)
        run.keep(CACHE, known)
    return known


def write(run: Run, deal_id: int, specs: list[FieldSpec], values: dict[str, FieldInput]) -> None:
    """By code. A field that Kommo refuses is looked up (or made) anew by the next try."""
    fields = ensure(run, specs)
    try:
        run.kommo.write_deal(deal_id, {fields[code]: value for code, value in values.items()})
    except TryLater as refused:
        if refused.cause == "kommo:fields":
            with run.phase() as session:
                calls.drop_cache(session, run.account_id, CACHE)
        raise
