"""FreshBooks' words for an invoice's state as ours: the few that a deal shows.

``v3_status`` is derived by FreshBooks and the best to go by; whether it is paid is decided by what
is outstanding, never by a status. Source: reference freshbooks §3.4.
"""

from server.vendors.freshbooks.read import Invoice, VisState

_WORDS = {
    "draft": "draft",
    "created": "draft",
    "sent": "sent",
    "viewed": "viewed",
    "failed": "sent",  # an automatic payment did not work: it is as unpaid as before
    "retry": "sent",
    "declined": "sent",
    "pending": "sent",
    "resolved": "sent",
    "success": "paid",
    "autopaid": "paid",
    "paid": "paid",
    "partial": "partial",
    "deposit_partial": "partial",
    "deposit_paid": "partial",
    "disputed": "disputed",
    "overdue": "overdue",
}


def word_of(invoice: Invoice) -> str:
    """draft, sent, viewed, partial, paid, overdue, disputed or deleted."""
    if invoice.vis_state == VisState.DELETED:
        return "deleted"
    told = _WORDS.get(invoice.v3_status.replace("-", "_"), "sent")
    if told != "draft" and invoice.outstanding.amount == 0 and invoice.amount.amount > 0:
        return "paid"
    return told
