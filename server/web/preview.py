"""See the invoice before it exists: a real deal, the settings as they are or as they are typed.

Nothing is written at either vendor. The one thing kept is that somebody tried it, for the
checklist.
"""

from decimal import Decimal

from flask import Blueprint, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.core.invoice import DraftLine, InvoiceDraft
from server.core.money import digits, rounded
from server.core.settings import InvalidSettings, SettingsDocument, validate
from server.flows import set_up
from server.flows.change_settings import newest
from server.flows.preview import Preview, find_deals, preview
from server.flows.vendor_lists import lists_of
from server.web import activity_words as words
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.mapping_typed import document_from
from server.web.pages import part, show
from server.web.visitor import visitor

pages = Blueprint("preview", __name__, url_prefix="/app/preview")

LARGEST_ID = 18  # digits


@pages.get("")
@needs(Auth.SESSION, Page.PREVIEW)
def ask() -> AnyResponse:
    """A search, what it finds, and the invoice of the deal that was chosen."""
    text, deal_id = request.args.get("q", ""), _deal_id(request.args.get("deal", ""))
    document, _version = newest(world(), visitor().account_id)
    slug = _rule_of(document, request.args.get("rule", ""))
    seen = None
    if deal_id is not None:
        fresh = bool(request.args.get("fresh"))
        seen = preview(
            world(), visitor().account_id, deal_id, document, rule_slug=slug, fresh=fresh
        )
        _remember(seen)
    found = find_deals(world(), visitor().account_id, text) if deal_id is None or text else None
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
        return part("preview.html", "sheet", seen=None, wrong=_("Choose a deal first."))
    try:
        document = _typed()
    except InvalidSettings:
        wrong = _("Something in the form is not right yet; it is marked there.")
        return part("preview.html", "sheet", seen=None, wrong=wrong)
    seen = preview(world(), visitor().account_id, deal_id, document)
    _remember(seen)
    return part(
        "preview.html",
        "sheet",
        seen=seen,
        deal_id=deal_id,
        line_amount=line_amount,
        words=words,
    )


def line_amount(line: DraftLine, draft: InvoiceDraft) -> Decimal:
    """Quantity × unit cost, to the currency's own decimals."""
    return rounded(line.quantity * line.unit_cost, digits(draft.currency))


def _typed() -> SettingsDocument:
    """Raises InvalidSettings."""
    current, _version = newest(world(), visitor().account_id)
    lists = lists_of(world(), visitor().account_id)
    return validate(document_from(request.form, current, lists))


def _remember(seen: Preview) -> None:
    if seen.draft is not None:
        set_up.mark(world(), visitor().account_id, set_up.TRIED)


def _deal_id(text: str) -> int | None:
    fits = text.isascii() and text.isdecimal() and len(text) <= LARGEST_ID
    return int(text) if fits else None


def _rule_of(document: SettingsDocument, slug: str) -> str | None:
    return slug if any(rule.slug == slug for rule in document.rules) else None
