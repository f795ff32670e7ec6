"""Calls to the vendors in words that need no API documentation."""

import re

_KOMMO = (
    (r"\w+ /oauth2/access_token", "Kommo's tokens are asked for"),
    (r"\w+ /oauth.*", "Somebody looks at Kommo's consent page"),
    (r"GET /api/v4/account", "Reads the Kommo account"),
    (r"GET /api/v4/leads/\d+", "Reads the deal"),
    (r"GET /api/v4/leads/\d+/links", "Reads what is linked to the deal"),
    (r"GET /api/v4/contacts.*", "Reads the contact"),
    (r"GET /api/v4/companies.*", "Reads the company"),
    (r"GET /api/v4/catalogs/\d+/elements.*", "Reads the products"),
    (r"GET /api/v4/catalogs", "Reads which lists there are"),
    (r"GET /api/v4/events", "Looks for missed moves"),
    (r"GET /api/v4/leads/pipelines.*", "Reads the stages"),
    (r"GET /api/v4/leads/custom_fields.*", "Reads the deal's fields"),
    (r"POST /api/v4/leads/custom_fields", "Makes the invoice fields on deals"),
    (r"PATCH /api/v4/leads/custom_fields.*", "Changes a field's choices"),
    (r"PATCH /api/v4/leads.*", "Writes on the deal"),
    (r"POST /api/v4/tasks", "Leaves a task"),
    (r"PATCH /api/v4/tasks.*", "Ticks a task off"),
    (r"GET /api/v4/tasks.*", "Looks at the tasks"),
    (r"POST /api/v4/.*/notes.*", "Leaves a note"),
    (r"GET /api/v4/webhooks", "Checks that Kommo still sends hooks"),
    (r"POST /api/v4/webhooks", "Subscribes to hooks"),
    (r"DELETE /api/v4/webhooks", "Ends the subscription to hooks"),
    (r"GET /api/v4/users.*", "Reads the users"),
)
_FRESHBOOKS = (
    (r"POST /auth/oauth/token", "FreshBooks' tokens are asked for"),
    (r"\w+ /oauth/authorize.*", "Somebody looks at FreshBooks' consent page"),
    (r"GET /auth/api/v1/users/me", "Asks FreshBooks who is signed in"),
    (r"GET .*/users/clients", "Looks for the client"),
    (r"GET .*/users/clients/\d+", "Reads the client"),
    (r"POST .*/users/clients", "Makes a client"),
    (r"PUT .*/users/clients/\d+", "Changes the client"),
    (r"GET .*/invoices/invoices", "Looks for an invoice"),
    (r"GET .*/invoices/invoices/\d+/share_link", "Gets the client’s link"),
    (r"GET .*/invoices/invoices/\d+", "Reads the invoice"),
    (r"POST .*/invoices/invoices", "Makes the invoice"),
    (r"PUT .*/invoices/invoices/\d+", "Changes the invoice"),
    (r"GET .*/payments/payments.*", "Reads the payments"),
    (r"\w+ /events/.*callbacks.*", "Sees to FreshBooks' callbacks"),
    (r"GET /(part/)?(link|invoice)/.*", "Somebody opens an invoice"),
    (r"GET /", "Somebody opens an invoice's page"),
)
_TABLES = {
    vendor: tuple((re.compile(pattern), words) for pattern, words in table)
    for vendor, table in (("kommo", _KOMMO), ("freshbooks", _FRESHBOOKS))
}


def told(vendor: str, method: str, path: str) -> str:
    """What the call is for; an unknown one speaks for itself."""
    call = f"{method} {path}"
    for pattern, words in _TABLES[vendor]:
        if pattern.fullmatch(call):
            return words
    return call
