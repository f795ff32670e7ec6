"""What the values of a settings document are called, for the history: one word for every value that
can differ, and one for each of a value's choices."""

from flask_babel import gettext as _

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
        "currency": _("Currency"),
        "language": _("Language"),
        "po_number": _("PO number"),
        "notes": _("Notes"),
        "terms": _("Terms"),
        "description": _("Description"),
        "due_days": _("Due"),
        "discount": _("Discount"),
        "discount.kind": _("Discount: kind"),
        "discount.value": _("Discount: value"),
        "discount.description": _("Discount: description"),
        **_of_lines(),
        "taxes.fixed": _("Taxes where the field is empty"),
        "taxes.field": _("Taxes: field"),
        "taxes.table": _("Taxes where the field says"),
        **{f"client.{name}": _("Client: %(name)s", name=word) for name, word in _client().items()},
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
        "lines.name": _("Line: name"),
        "lines.sku": _("Line: article number"),
        "lines.description": _("Line: description"),
        "lines.price": _("Line: price"),
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


def _client() -> dict[str, str]:
    return {
        "match_by": _("recognised by"),
        "email": _("e-mail"),
        "organization": _("organization"),
        "first_name": _("first name"),
        "last_name": _("last name"),
        "phone": _("phone"),
        "street": _("street"),
        "street2": _("street, second line"),
        "city": _("city"),
        "province": _("province"),
        "postal_code": _("postal code"),
        "country": _("country"),
        "vat_name": _("name of the tax number"),
        "vat_number": _("tax number"),
        "language": _("language"),
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
