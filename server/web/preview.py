"""See the invoice before it exists: a real deal, the settings as they are or as they are typed.

Nothing is written at either vendor. The one thing kept is that somebody tried it, for the
checklist.
"""

from decimal import Decimal

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from server.core.invoice import DraftLine, InvoiceDraft
from server.core.money import digits, rounded
from server.core.settings import SettingsDocument
from server.flows import set_up
from server.flows.change_settings import newest
from server.flows.find_deals import find_deals
from server.flows.preview import preview
from server.flows.previewed import Preview
from server.flows.vendor_lists import lists_of
from server.web import activity_words as words
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.mapping_controls import used_keys
from server.web.mapping_labels import Labels
from server.web.mapping_typed import Typed
from server.web.mapping_words import summary
from server.web.pages import go, part, show
from server.web.visitor import visitor

pages = Blueprint("preview", __name__, url_prefix="/app/preview")

LARGEST_ID = 18  # digits


@pages.get("")
@needs(Auth.SESSION, Page.PREVIEW)
def ask() -> AnyResponse:
    """A search, what it finds, and the invoice of the deal that was chosen, or found alone."""
    text, deal_id = request.args.get("q", ""), _deal_id(request.args.get("deal", ""))
    document, _version = newest(world(), visitor().account_id)
    slug = _rule_of(document, request.args.get("rule", ""))
    found = find_deals(world(), visitor().account_id, text) if deal_id is None or text else None
    if found and text and len(found.deals) == 1 and deal_id is None:
        return go("preview.ask", deal=found.deals[0].deal_id, rule=slug)
    seen = None
    if deal_id is not None:
        fresh = bool(request.args.get("fresh"))
        seen = preview(
            world(), visitor().account_id, deal_id, document, rule_slug=slug, fresh=fresh
        )
        _remember(seen)
    return show(
        "preview.html",
        q=text,
        deal_id=deal_id,
        found=found,
        seen=seen,
        rules=document.rules,
        slug=slug,
        line_amount=line_amount,
        words=words,
    )


@pages.post("/live")
@needs(Auth.SESSION, Page.PREVIEW, Act.CHANGE)
def live() -> AnyResponse:
    """The same deal by the mapping as it stands in the form, saved or not."""
    deal_id = _deal_id(request.form.get("deal", ""))
    if deal_id is None:
        return Response(status=204)
    typed = _typed()
    if typed.document is None:  # the invoice stays as it was
        told = part("mapping/live.html", "wrong", wrong=summary(typed.errors))
        told.headers["HX-Retarget"] = "#live-wrong"
        return told
    seen = preview(world(), visitor().account_id, deal_id, typed.document)
    _remember(seen)
    return part("mapping/live.html", "sheet", seen=seen, line_amount=line_amount, words=words)


def line_amount(line: DraftLine, draft: InvoiceDraft) -> Decimal:
    """Quantity × unit cost, to the currency's own decimals."""
    return rounded(line.quantity * line.unit_cost, digits(draft.currency))


def _typed() -> Typed:
    current, _version = newest(world(), visitor().account_id)
    lists = lists_of(world(), visitor().account_id)
    return Typed(request.form, current, Labels(lists, used_keys(current)))


def _remember(seen: Preview) -> None:
    if seen.draft is not None:
        set_up.mark(world(), visitor().account_id, set_up.TRIED)


def _deal_id(text: str) -> int | None:
    fits = text.isascii() and text.isdecimal() and len(text) <= LARGEST_ID
    return int(text) if fits else None


def _rule_of(document: SettingsDocument, slug: str) -> str | None:
    return slug if any(rule.slug == slug for rule in document.rules) else None
