"""A person looks for a deal to try the settings on: by words, by its number, by its link."""

import re
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from server.core.errors import Outcome
from server.core.field_keys import entity_of
from server.core.keys import AccountId, digest
from server.core.mapping import read_currency
from server.core.said import say
from server.core.sale import Sale
from server.core.settings import Source
from server.core.sources import Problems, Reader
from server.core.vendor_lists import Lists
from server.flows import world as outside
from server.flows.glance import Deadline, Glance, in_words, look
from server.flows.kommo_visit import origin_of
from server.flows.settings_of import settings_of
from server.flows.vendor_lists import lists_of
from server.flows.world import World
from server.store.accounts import ConnectionRow
from server.vendors.http import shaped
from server.vendors.kommo.read import alone, sale_of
from server.vendors.kommo.records import Row

MOST = 20
SECONDS = 5.0
LONGEST = 200  # letters that are searched for; a link is shorter too
_LINK = re.compile(r"(https?://)?[a-z0-9.-]+(:\d+)?/\S*", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"#?([1-9][0-9]{0,17})", re.ASCII)
_CARD = re.compile(r"/leads/(?:detail/)?([1-9][0-9]{0,17})/?", re.ASCII)


@dataclass(frozen=True)
class FoundDeal:
    """``amount`` None: the deal has none. ``currency`` is the one that its invoice would have, ""
    where a field says it that a search does not read. Names are "" where the lists do not have
    them."""

    deal_id: int
    name: str
    amount: Decimal | None
    currency: str
    pipeline: str
    stage: str
    url: str


@dataclass(frozen=True)
class FoundDeals:
    """``notice``: why there is nothing, or why it may not be what was looked for."""

    deals: tuple[FoundDeal, ...] = ()
    notice: str = ""


def find_deals(world: World, account_id: int, text: str, *, seconds: float = SECONDS) -> FoundDeals:
    """At most 20, the last changed first; for no text the last changed of all. Never raises."""
    text, within = " ".join(text.split())[:LONGEST], Deadline(seconds)
    try:
        home = outside.connection_of(world, AccountId(account_id), "kommo")
        deal_id, said = _linked(text, home.realm) if _LINK.fullmatch(text) else (None, "")
        if said:
            return FoundDeals(notice=said)
        lists = lists_of(world, account_id, seconds=within.left())
        what = f"kommo:find:{digest(text)}"
        rows = look(
            world, account_id, what, lambda glance: _rows(glance, text, deal_id), within=within
        )
        with world.database.read() as session:
            mapped = settings_of(session, AccountId(account_id)).mapping.currency
        found = shaped(
            "kommo", lambda rows: [_deal(home, row, lists, mapped) for row in rows], rows
        )
    except Outcome as outcome:
        return FoundDeals(notice=in_words(outcome))
    return FoundDeals(tuple(found), "" if found else _nothing(text))


def deal_url(host: str, deal_id: int) -> str:
    """The deal's card in Kommo."""
    return f"{origin_of(host)}/leads/detail/{deal_id}"


def _rows(glance: Glance, text: str, linked: int | None) -> list[Row]:
    if linked is not None:
        return glance.kommo.deals([linked])
    number = _NUMBER.fullmatch(text)
    exact = glance.kommo.deals([int(number[1])]) if number else []
    found = glance.kommo.search_deals(number[1] if number else text, MOST)
    seen = {row["id"] for row in exact}
    return [*exact, *(row for row in found if row.get("id") not in seen)][:MOST]


def _linked(text: str, home: str) -> tuple[int | None, str]:
    """The id in a link to a deal of this host, or a sentence that says where it leads instead."""
    parts = urlsplit(text if "://" in text else f"//{text}")
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(":443")
    if host != home.lower():
        return None, say(
            "This link leads to %(host)s, but %(home)s is connected here.", host=host, home=home
        )
    card = _CARD.fullmatch(parts.path)
    if card is None:
        example = deal_url(home, 12345678)
        return None, say("This is no link to a deal. One looks like %(link)s.", link=example)
    return int(card[1]), ""


def _deal(home: ConnectionRow, row: Row, lists: Lists, mapped: Source | None) -> FoundDeal:
    sale = sale_of(alone(row, home.timezone), home.currency)
    pipeline = lists.pipeline(int(row["pipeline_id"]))
    stage = lists.stage(int(row["pipeline_id"]), int(row["status_id"]))
    return FoundDeal(
        deal_id=int(row["id"]),
        name=sale.title,
        amount=sale.amount.amount if sale.amount else None,
        currency=_currency(sale, mapped),
        pipeline=pipeline.name if pipeline else "",
        stage=stage.name if stage else "",
        url=deal_url(home.realm, int(row["id"])),
    )


def _currency(sale: Sale, mapped: Source | None) -> str:
    if mapped and any(entity_of(key) != "deal" for key in mapped.keys()):  # noqa: SIM118  # no dict
        return ""
    return read_currency(Reader(sale, Problems()), mapped)


def _nothing(text: str) -> str:
    if not text:
        return say("There is no deal in Kommo yet.")
    if _LINK.fullmatch(text):
        return say("Kommo has no such deal, or it was deleted.")
    return say(
        "Kommo finds no deal for “%(text)s”. Paste the deal's link, or type its number.", text=text
    )
