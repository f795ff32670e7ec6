"""What the parts of a mapping are called that a source fills: in problems, and in the history."""

from server.core.messages import N_
from server.core.said import Said, say

_OF_CLIENT = {
    "email": N_("e-mail"),
    "organization": N_("organization"),
    "first_name": N_("first name"),
    "last_name": N_("last name"),
    "phone": N_("phone"),
    "street": N_("street"),
    "street2": N_("street, second line"),
    "city": N_("city"),
    "province": N_("province"),
    "postal_code": N_("postal code"),
    "country": N_("country"),
    "vat_name": N_("name of the tax number"),
    "vat_number": N_("tax number"),
    "language": N_("language"),
}

# By the dotted path under "mapping".
PART_NAMES: dict[str, Said] = {
    "currency": say("Currency"),
    "language": say("Language"),
    "po_number": say("PO number"),
    "notes": say("Notes"),
    "terms": say("Terms"),
    "description": say("Description"),
    "due_days": say("Due"),
    "discount.value": say("Discount: value"),
    "discount.description": say("Discount: description"),
    "lines.name": say("Line: name"),
    "lines.sku": say("Line: article number"),
    "lines.description": say("Line: description"),
    "lines.price": say("Line: price"),
    **{
        f"client.{name}": say("Client: %(name)s", name=say(word))
        for name, word in _OF_CLIENT.items()
    },
}
