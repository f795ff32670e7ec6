"""What nobody outside FreshBooks knows for sure: each open question is a switch.

Tests run both readings; the desk and ``/_switches`` change them at run time. The defaults are the
reading that the sources lean to, or, where they lean nowhere, the one that is harder on a client.
"""

from dataclasses import dataclass, field
from typing import Literal


def default_limits() -> dict[str, int]:
    """Longest accepted text by "object.field"; errno 1017 proves limits exist, not their size."""
    return {
        "invoice.invoice_number": 50,
        "invoice.po_number": 50,
        "invoice.notes": 10_000,
        "invoice.terms": 10_000,
        "invoice.discount_description": 255,
        "line.name": 255,
        "line.description": 4_000,
        "client.email": 128,
        "client.organization": 255,
        "client.fname": 128,
        "client.lname": 128,
        "client.vat_number": 64,
        "client.note": 10_000,
        "payment.note": 4_000,
        "credit_note.credit_number": 50,
        "credit_note.notes": 10_000,
        "tax.name": 128,
        "item.name": 255,
    }


@dataclass
class FreshbooksSwitches:
    """Flat and JSON-friendly, so that the control app can show and set each by its name."""

    # arithmetic (§3.3, §7.4: unverified)
    rounding_scope: Literal["line", "group", "invoice"] = "line"
    rounding_half: Literal["up", "even"] = "up"
    discount_rounded_on: Literal["subtotal", "line"] = "subtotal"
    #: how a currency without minor units is counted and printed; "hundredths" rounds it to 0.01
    yen: Literal["1200", "1200.00", "hundredths"] = "1200.00"
    third_decimal: Literal["kept", "rounded"] = "rounded"
    negative_lines: Literal["accepted", "refused"] = "refused"
    fixed_discount: Literal["refused", "ignored"] = "ignored"

    # what is refused (§3.1, §3.6, §4)
    deleted_numbers_reusable: bool = False
    archived_client_refused: bool = False
    overdue_beats_partial: bool = True
    payment_on_draft: Literal["accepted", "refused"] = "accepted"
    limits: dict[str, int] = field(default_factory=default_limits)
    max_lines: int = 500
    organization_from_email: bool = False
    items_access: bool = True

    # lists and searches (§2.3)
    lists_lag_seconds: float = 0
    email_search_case_sensitive: bool = False
    invoice_number_search: Literal["exact", "prefix"] = "exact"
    range_max_inclusive: bool = False
    updated_filter_zone: str = "America/New_York"
    deleted_readable: bool = True

    #: whether a create shows what ``include[]`` asks for (§2.3: seen of reads and updates)
    create_includes: bool = True

    # OAuth (§1)
    second_consent_kills_first: bool = True
    refresh_keeps_created_at_seconds: int = 60
    refresh_kills_access_token: bool = False

    # errors and limits (§2.4, §7.1)
    #: "single": classic with one object where the list would be
    error_shape: Literal["classic", "single", "google"] = "classic"
    rate_limits: bool = True
    rate_limit: int = 600
    rate_limit_posts: int = 250

    # callbacks (§6)
    handshake_fields: Literal["now", "2020"] = "now"
    own_writes_fire: bool = True
    view_fires_update: bool = False
    payment_fires_invoice_update: bool = False
    callbacks_retry: bool = True
