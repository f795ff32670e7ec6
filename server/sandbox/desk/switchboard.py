"""The vendors' unverified facts as switches with words; docs/vendors says what hangs on each."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from .said import Impossible

if TYPE_CHECKING:
    from server.sandbox import Sandbox

KOMMO = {
    "refresh_rule": "After a refresh, the old refresh token lives",
    "access_use_ends_grace": "Using the new access token ends the old refresh token",
    "token_error_status": "A refused refresh is answered",
    "moved_status": "A renamed account’s old address answers",
    "price_with_minor_units": "Deals tell their exact amount",
    "unknown_lead_status": "An unknown deal is answered",
    "unknown_entity_status": "Other unknown things are answered",
    "trashed_lead_readable": "A deal in the trash can still be read",
    "account_block_first": "Hooks name the account first",
    "move_fires_update": "A move fires the update hook too",
    "own_writes_fire_hooks": "An integration’s own writes fire hooks back at it",
    "api_writes_as_robot": "Integrations write as user 0",
    "plan_has_webhooks": "The plan has webhooks",
    "no_webhooks_status": "Without webhooks, a subscription is answered",
    "post_enables_hook": "Subscribing again enables a disabled hook",
    "disabling_removes_hooks": "Disabling an integration takes its webhooks along",
    "dp_retries": "Digital-pipeline hooks are tried again",
    "dp_json": "Digital-pipeline hooks are JSON",
    "requests_per_second": "Calls a second for each integration (0: no limit)",
    "account_requests_per_second": "Calls a second for the account",
    "block_after_violations": "Too many calls that lead to a block",
    "retry_after_header": "A 429 says when to come back",
    "throttle_body": "A 429’s body is",
    "fields_page_cap": "Fields on one page, whatever is asked",
    "deal_query_finds_people": "Searching deals looks into their contacts and companies",
    "event_stage_filter": "Events can be filtered by their stage",
    "relink_status": "Linking a product again is answered",
    "context_user_denied_status": "A call for an unknown user is answered",
    "is_admin_claim": "The one-time token says who is admin",
    "events_lag_seconds": "Seconds until an event is listed",
    "lead_added_has_status": "The event of a new deal names its stage",
    "strict_text": "Numbers are refused in text fields",
}
FRESHBOOKS = {
    "rounding_scope": "Taxes are rounded once per",
    "rounding_half": "Halves are rounded",
    "discount_rounded_on": "A discount is rounded on each",
    "yen": "Yen are printed as",
    "third_decimal": "A third decimal is",
    "negative_lines": "Negative lines are",
    "fixed_discount": "A fixed discount is",
    "deleted_numbers_reusable": "A deleted invoice’s number is free again",
    "archived_client_refused": "An archived client cannot be invoiced",
    "payment_on_draft": "A payment on a draft is",
    "overdue_beats_partial": "Part-paid and late is called overdue",
    "max_lines": "Most lines on an invoice",
    "organization_from_email": "A client without a name is named by e-mail",
    "items_access": "The plan has items",
    "lists_lag_seconds": "Seconds until a list shows what is new",
    "email_search_case_sensitive": "The e-mail search minds capitals",
    "invoice_number_search": "The search by number is",
    "range_max_inclusive": "A range includes its end",
    "updated_filter_zone": "“Updated since” counts days in",
    "create_includes": "A create shows the lines it was asked for",
    "deleted_readable": "Deleted things can still be read",
    "second_consent_kills_first": "A second consent ends the first one’s tokens",
    "refresh_keeps_created_at_seconds": "Seconds in which a refresh keeps its birth time",
    "refresh_kills_access_token": "A refresh ends the old access token",
    "error_shape": "Errors come in the shape",
    "rate_limits": "Calls are limited",
    "rate_limit": "Calls a minute",
    "rate_limit_posts": "Creating calls a minute",
    "handshake_fields": "The handshake has the fields of",
    "own_writes_fire": "An app’s own writes fire callbacks",
    "view_fires_update": "A client’s look fires a callback",
    "payment_fires_invoice_update": "A payment fires invoice.update too",
    "callbacks_retry": "A callback that failed is tried again",
}
WORDS = {"kommo": KOMMO, "freshbooks": FRESHBOOKS}


def switches(sandbox: "Sandbox") -> dict[str, list[dict[str, Any]]]:
    """By vendor: name, words, input kind, value, choices."""
    return {vendor: _rows(vendor, values) for vendor, values in _values(sandbox).items()}


def _values(sandbox: "Sandbox") -> dict[str, Any]:
    return {"kommo": sandbox.kommo.switches, "freshbooks": sandbox.freshbooks.switches}


def _rows(vendor: str, values: Any) -> list[dict[str, Any]]:
    rows = []
    for name, hint in _hints(values).items():
        kind, choices = _input(hint)
        if kind:
            words = WORDS[vendor].get(name, name.replace("_", " "))
            row = {"name": name, "words": words, "input": kind, "choices": choices}
            rows.append(row | {"value": getattr(values, name)})
    return rows


def _hints(values: Any) -> dict[str, Any]:
    hints = get_type_hints(type(values))
    return {field.name: hints[field.name] for field in fields(values)}


def _input(hint: Any) -> tuple[str, list[str]]:
    """Whole tables ("limits") have no input here; ``/_switches`` takes them."""
    if get_origin(hint) is Literal:
        return "select", [str(choice) for choice in get_args(hint)]
    return {bool: "checkbox", int: "number", float: "number", str: "text"}.get(hint, ""), []


def turn(sandbox: "Sandbox", vendor: str, name: str, value: Any) -> str:
    """Set one switch, at once. Raises Impossible, KeyError."""
    values: Any = _values(sandbox)[vendor]
    hint = _hints(values)[name]
    kind, choices = _input(hint)
    if not kind:
        raise Impossible(f"{name} is a table: set it through /_switches")
    if kind == "select" and value not in choices:
        raise Impossible(f"{name} is one of {', '.join(choices)}")
    if kind == "checkbox":
        value = bool(value)
    elif kind == "number":
        value = hint(value)
    setattr(values, name, value)
    return f"{WORDS[vendor].get(name, name)}: {_spoken(value)}"


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")
