"""What the rows of the mapping are called, on the page and in what is said of them."""

from collections.abc import Mapping

from flask_babel import gettext as _

from server.web.mapping_controls import name_of


def titles() -> dict[str, str]:
    """By the dotted path in the mapping."""
    return {
        "currency": _("Currency"),
        "description": _("Description"),
        "notes": _("Notes"),
        "terms": _("Terms"),
        "po_number": _("PO number"),
        "language": _("Language"),
        "due_days": _("Due"),
        **_lines(),
        "taxes.fixed": _("Rates"),
        "taxes.field": _("Field that says the tax"),
        "taxes.table": _("What its values mean"),
        "discount": _("Discount"),
        "discount.value": _("How much"),
        "discount.description": _("What it is called"),
        **_client(),
        "write_back.link": _("Link"),
        "write_back.number": _("Number"),
        "write_back.amount": _("Amount"),
        "write_back.status": _("Status"),
        "numbering.kind": _("Who numbers the invoices"),
        "numbering.prefix": _("Before the number"),
        "numbering.next": _("First number"),
        "numbering.digits": _("Digits"),
    }


def summary(errors: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(control, its part and what its row is called, sentence) of each error; the first two may
    be ""."""
    named = {name_of(path): _in_its_part(path, title) for path, title in titles().items()}
    return [(control, _row_of(control, named), said) for control, said in errors.items()]


def _in_its_part(path: str, title: str) -> str:
    """ "Language" is one of the invoice and one of the client."""
    part = parts().get(path.partition(".")[0], "")
    return f"{part} › {title}" if part and part != title else title


def _row_of(control: str, named: Mapping[str, str]) -> str:
    while control and control not in named:
        control = control.rpartition("-")[0]
    return named.get(control, "")


def parts() -> dict[str, str]:
    """The sections of the page, by what begins the paths of their rows; the invoice's own have no
    such."""
    return {
        "lines": _("Lines"),
        "taxes": _("Taxes"),
        "discount": _("Discount"),
        "client": _("Client"),
        "write_back": _("Written back to the deal"),
        "numbering": _("Numbers of invoices"),
    }


def _lines() -> dict[str, str]:
    return {
        "lines.from": _("Lines are made from"),
        "lines.catalogs": _("Lists with what is sold"),
        "lines.name": _("Name of a line"),
        "lines.sku": _("Article number (SKU)"),
        "lines.description": _("Description of a line"),
        "lines.price": _("Price"),
        "lines.when_amount_differs": _("When the deal's amount is not the sum of its products"),
        "lines.extra_decimals": _("When a line does not come out in whole cents"),
    }


def _client() -> dict[str, str]:
    return {
        "client.match_by": _("Is the same client when it has the same"),
        "client.email": _("E-mail"),
        "client.organization": _("Company"),
        "client.first_name": _("First name"),
        "client.last_name": _("Last name"),
        "client.phone": _("Phone"),
        "client.street": _("Street"),
        "client.street2": _("Street, second line"),
        "client.city": _("City"),
        "client.province": _("State or province"),
        "client.postal_code": _("Postal code"),
        "client.country": _("Country"),
        "client.vat_name": _("Name of the tax number"),
        "client.vat_number": _("Tax number"),
        "client.language": _("Language"),
    }
