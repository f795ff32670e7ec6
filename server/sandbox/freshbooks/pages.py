"""my.freshbooks.com: the operator's page of an invoice and the page behind a share link (§3.5).

Both addresses end in a fragment that no server sees, so the page at "/" reads it and asks for
the part it names; without scripts the parts can be opened by themselves.
"""

from typing import TYPE_CHECKING

from flask import Flask, Response, render_template_string

from server.sandbox.freshbooks.acts import Business
from server.sandbox.freshbooks.invoice_view import shown
from server.sandbox.freshbooks.reply import world
from server.sandbox.freshbooks.state import Row

if TYPE_CHECKING:
    from server.sandbox.freshbooks.world import FreshbooksWorld

STYLE = """<style>
body{font:16px/1.5 system-ui,sans-serif;background:#eef3f7;color:#1d2b36;margin:0}
main{max-width:46rem;margin:5vh auto;background:#fff;padding:2.5rem;border-radius:8px;
box-shadow:0 1px 6px #0002} h1{font-size:1.4rem;margin:0 0 .2rem} .soft{color:#5b6b78}
table{width:100%;border-collapse:collapse;margin:1.5rem 0} th,td{padding:.5rem;text-align:left;
border-bottom:1px solid #dde5eb} .n{text-align:right;white-space:nowrap}
.state{float:right;border:1px solid #0a6cbd;color:#0a6cbd;border-radius:1rem;padding:0 .8rem}
tfoot td{border:0} tfoot tr:last-child{font-weight:600}
</style>"""

SHELL = (
    """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>FreshBooks (sandbox)</title>"""
    + STYLE
    + """</head><body><main id="part">
{% if part %}{{ part|safe }}{% else %}<p class="soft">Emulated FreshBooks. Open an invoice by its
link.</p>{% endif %}</main>
{% if not part %}<script>
async function show() {
  const place = location.hash.replace(/^#/, "").split("?")[0];
  if (!place) return;
  const reply = await fetch("/part" + place);
  document.getElementById("part").innerHTML = await reply.text();
}
addEventListener("hashchange", show);
show();
</script>{% endif %}</body></html>"""
)

INVOICE = """<span class="state">{{ inv.v3_status }}</span>
<h1>{{ business.name }}</h1>
<p class="soft">Invoice {{ inv.invoice_number }} · {{ inv.create_date }} · due {{ inv.due_date }}
{% if inv.po_number %}· PO {{ inv.po_number }}{% endif %}</p>
<p>{{ inv.organization }}{% if inv.organization and (inv.fname or inv.lname) %}<br>{% endif %}
{{ inv.fname }} {{ inv.lname }}<br>{{ inv.street }} {{ inv.code }} {{ inv.city }} {{ inv.country }}
{% if inv.vat_number %}<br>{{ inv.vat_name }} {{ inv.vat_number }}{% endif %}</p>
<table><thead><tr><th>Item</th><th class="n">Quantity</th><th class="n">Rate</th><th>Tax</th>
<th class="n">Amount</th></tr></thead><tbody>
{% for line in inv.lines %}<tr><td>{{ line.name }}<br><span class="soft">{{ line.description }}
</span></td><td class="n">{{ line.qty }}</td><td class="n">{{ line.unit_cost.amount }}</td>
<td>{% if line.taxName1 %}{{ line.taxName1 }} {{ line.taxAmount1 }} %{% endif %}
{% if line.taxName2 %}<br>{{ line.taxName2 }} {{ line.taxAmount2 }} %{% endif %}</td>
<td class="n">{{ line.amount.amount }}</td></tr>{% endfor %}</tbody>
<tfoot>
<tr><td colspan="4" class="n">Discount</td><td class="n">{{ inv.discount_total.amount }}</td></tr>
<tr><td colspan="4" class="n">Tax</td><td class="n">{{ tax }}</td></tr>
<tr><td colspan="4" class="n">Total</td>
<td class="n">{{ inv.amount.amount }} {{ inv.currency_code }}</td></tr>
<tr><td colspan="4" class="n">Paid</td><td class="n">{{ inv.paid.amount }}</td></tr>
<tr><td colspan="4" class="n">Amount due</td>
<td class="n">{{ inv.outstanding.amount }} {{ inv.currency_code }}</td></tr></tfoot></table>
<p>{{ inv.notes }}</p><p class="soft">{{ inv.terms or "" }}</p>"""

NOT_AVAILABLE = """<h1>This invoice isn't available</h1>
<p class="soft">It has not been sent yet, or it has been deleted. Ask the sender.</p>"""


def pages_app(of: "FreshbooksWorld") -> Flask:
    """The app host."""
    app = Flask("sandbox_freshbooks_app", static_folder=None)
    app.extensions["freshbooks"] = of
    app.add_url_rule("/", view_func=shell)
    for name, view in (("invoice", operators_invoice), ("link", shared_invoice)):
        for root, whole in (("", True), ("/part", False)):
            rule = f"{root}/{name}/<place>"
            app.add_url_rule(rule, rule, view, defaults={"whole": whole})
    return app


def shell() -> str:
    """Reads the fragment and loads the part that it names."""
    return render_template_string(SHELL, part="")


def operators_invoice(place: str, whole: bool) -> Response:
    """ "/#/invoice/<account>-<id>": the business's own people see every state."""
    account_id, _, number = place.rpartition("-")
    for business in world().businesses:
        if (
            business.account_id == account_id
            and number.isdigit()
            and int(number) in business.invoices
        ):
            return _page(_invoice(business, business.invoices[int(number)]), 200, whole)
    return _page("<h1>Not found</h1>", 404, whole)


def shared_invoice(place: str, whole: bool) -> Response:
    """ "/#/link/<token>": what the client sees; looking at it makes it viewed."""
    for business in world().businesses:
        for row in business.invoices.values():
            if row["share_token"] == place and row["status"] != 1 and row["vis_state"] != 1:
                business.view(row["id"])
                return _page(_invoice(business, row), 200, whole)
    return _page(NOT_AVAILABLE, 404, whole)


def _invoice(business: Business, row: Row) -> str:
    inv = shown(business, row, frozenset({"lines"}))
    return render_template_string(INVOICE, business=business, inv=inv, tax=row["tax"])


def _page(part: str, status: int, whole: bool) -> Response:
    body = render_template_string(SHELL, part=part) if whole else part
    return Response(body, status, content_type="text/html; charset=utf-8")
