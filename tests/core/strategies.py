"""What hypothesis draws: prices, lines and whole drafts, in the forms that a draft may have."""

from decimal import Decimal

from hypothesis import strategies as st

from server.core.invoice import DraftClient, DraftLine, InvoiceDraft, Tax
from server.core.tax import totals

RATES = [Decimal(rate) for rate in ("0", "5", "7.7", "9.975", "20", "21")]

prices = st.integers(0, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))
quantities = st.integers(1, 10**5).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
percents = st.integers(0, 9999).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
taxes = st.lists(
    st.builds(Tax, st.sampled_from(["VAT", "GST"]), st.sampled_from(RATES)), max_size=2
).map(tuple)
texts = st.text(max_size=12)
lines = st.builds(DraftLine, texts, texts, quantities, prices, taxes)
currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD"])
clients = st.builds(DraftClient, texts, texts, texts)


@st.composite
def drafts(draw: st.DrawFn) -> InvoiceDraft:
    currency = draw(currencies)
    rows = tuple(draw(st.lists(lines, min_size=1, max_size=5)))
    discount = draw(percents)
    sums, differs = totals(rows, discount, currency)
    return InvoiceDraft(
        currency=currency,
        client=draw(clients),
        lines=rows,
        totals=sums,
        to_be_confirmed=differs,
        discount_percent=discount,
        notes=draw(texts),
        due_days=draw(st.none() | st.integers(0, 365)),
    )
