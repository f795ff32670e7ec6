"""What the values of a settings document are called, for the history: one word for every value that
can differ, and one for each of a value's choices."""

from flask_babel import gettext as _

from server.core.part_names import PART_NAMES
from server.web.languages import spoken
from server.web.rule_words import deeds


def of_rules() -> dict[str, str]:
    """By the key in a rule."""
    return {
        "name": _("name"),
        "when": _("stages"),
        "match": _("conditions that must hold"),
        "conditions": _("conditions"),
        "still_in_stage": _("only while the deal is still in the stage"),
        "action": _("what is done with the invoice"),
        "series": _("series"),
        "again": _("bills again when the deal enters again"),
    }


def of_mapping() -> dict[str, str]:
    """By the dotted path under "mapping"."""
    return {
        **{path: spoken(words) for path, words in PART_NAMES.items()},
        "discount": _("Discount"),
        "discount.kind": _("Discount: kind"),
        **_of_lines(),
        "taxes.fixed": _("Taxes where the field is empty"),
        "taxes.field": _("Taxes: field"),
        "taxes.table": _("Taxes where the field says"),
        "client.match_by": _("Client: %(name)s", name=_("recognised by")),
        **_of_write_back(),
        "numbering.kind": _("Invoice numbers"),
        "numbering.prefix": _("Invoice numbers: prefix"),
        "numbering.next": _("Invoice numbers: next"),
        "numbering.digits": _("Invoice numbers: digits"),
    }


def _of_lines() -> dict[str, str]:
    return {
        "lines.from": _("Lines are made from"),
        "lines.catalogs": _("Lines: Kommo lists"),
        "lines.when_amount_differs": _("When the deal's amount differs from its products"),
        "lines.extra_decimals": _("When a line does not come out in whole cents"),
    }


def _of_write_back() -> dict[str, str]:
    return {
        "write_back.link": _("Field of the deal for the invoice's link"),
        "write_back.number": _("Field of the deal for the invoice's number"),
        "write_back.amount": _("Field of the deal for the invoice's amount"),
        "write_back.status": _("Field of the deal for the invoice's status"),
    }


def choices() -> dict[str, dict[str, str]]:
    """By the path as above, what each of a value's choices is called."""
    return {
        "match": {"all": _("all"), "any": _("at least one")},
        "action": {action: words for action, (words, _meaning) in deeds().items()},
        "discount.kind": {"percent": _("percent"), "amount": _("amount")},
        "lines.from": {
            "products": _("the deal's products"),
            "amount": _("the deal's amount"),
            "products_or_amount": _("its products, or its amount where it has none"),
        },
        "lines.when_amount_differs": {
            "refuse": _("do not bill"),
            "ignore": _("bill the products"),
            "adjust": _("add a line with the difference"),
        },
        "lines.extra_decimals": {"refuse": _("do not bill"), "round": _("round it")},
        "client.match_by": {
            "email": _("e-mail"),
            "vat": _("tax number"),
            "company": _("company in Kommo"),
            "contact": _("contact in Kommo"),
        },
        "numbering.kind": {
            "freshbooks": _("given by FreshBooks"),
            "reference": _("Billhook's reference"),
            "sequence": _("a sequence of your own"),
        },
    }
