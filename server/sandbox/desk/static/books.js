// FreshBooks' side: invoices with their lines, clients, mails sent, and its user's small acts.

import { fill, h } from "./dom.js";
import { money, plural, stateOf } from "./format.js";
import { act, onChange, state, tell, ui } from "./store.js";

const box = document.getElementById("books");

function showBooks() {
  const all = state.books || [];
  fill(box, all.length ? all.map(business) : h("p.soft", null, "No business yet."));
}

function business(one) {
  return h("div.business", { "data-key": one.account },
    h("h3", null, one.name),
    one.invoices.length
      ? h("ul.invoices", null, one.invoices.map(invoice))
      : h("p.empty", null, "No invoice yet. The first one appears here as soon as it is made."),
    list("clients", one.clients, client, plural(one.clients.length, "client")),
    list("mails", one.mails, mail, `${plural(one.mails.length, "e-mail")} sent`));
}

function list(key, rows, draw, title) {
  if (!rows.length) return null;
  return h("details.more", { "data-key": key }, h("summary", null, title), h("ul", null, rows.map(draw)));
}

function client(one) {
  const facts = [one.person !== one.name && one.person, one.email, one.vat, one.place, one.gone];
  return h("li", { "data-key": one.id }, h("b", null, one.name),
    h("span.soft", null, [...facts, plural(one.invoices, "invoice")].filter(Boolean).join(" · ")));
}

function mail(one) {
  return h("li", { "data-key": one.id }, h("b", null, `To ${one.to}`), h("span.soft", null, one.subject));
}

function invoice(one) {
  const open = ui.invoice === one.id;
  const shown = stateOf(one.status);
  return h("li", { "data-key": one.id, class: one.status === "deleted" ? "gone" : "" },
    h("button.head", { type: "button", "data-invoice": one.id, "aria-expanded": String(open) },
      h("b", null, one.number), h("span.pill", { class: shown.tone }, shown.word),
      h("span.sum", null, money(one.amount, one.currency)), h("span.soft", null, one.client)),
    open ? detail(one) : null);
}

function detail(one) {
  return h("div.detail", { "data-key": "detail" },
    h("p.soft", null, [`Dated ${one.created}`, `due ${one.due}`, one.po && `PO number ${one.po}`].filter(Boolean).join(" · ")),
    h("table", null,
      h("thead", null, h("tr", null, h("th", null, "Line"), h("th.n", null, "Qty × price"), h("th.n", null, "Amount"))),
      h("tbody", null, one.lines.map(line)),
      h("tfoot", null, totals(one))),
    one.notes ? h("p.notes", null, one.notes) : null,
    one.payments.map((paid) => h("p.soft", { "data-key": `paid-${paid.id}` }, `${money(paid.amount, one.currency)} paid on ${paid.date} (${paid.type})`)),
    one.mails ? h("p.soft", null, one.mails === 1 ? "Mailed once" : `Mailed ${one.mails} times`) : null,
    acts(one));
}

function line(row) {
  const more = [row.description, ...row.taxes].filter(Boolean).join(" · ");
  return h("tr", null,
    h("td", null, row.name, more ? h("span.soft", null, more) : null),
    h("td.n", null, `${row.quantity} × ${money(row.price)}`), h("td.n", null, money(row.amount)));
}

function totals(one) {
  const rows = [["Subtotal", one.subtotal]];
  if (one.discount) rows.push([`Discount ${one.percent} %`, one.discount]);
  rows.push(["Tax", one.tax], ["Total", one.amount]);
  if (Number(one.paid)) rows.push(["Paid", one.paid], ["Outstanding", one.outstanding]);
  return rows.map(([name, amount]) => h("tr", { class: name === "Total" ? "total" : "" },
    h("th", { colspan: "2", scope: "row" }, name), h("td.n", null, money(amount, name === "Total" ? one.currency : ""))));
}

function acts(one) {
  const button = (verb, words) => h("button.plain", { type: "button", "data-key": verb, "data-verb": verb, "data-of": one.id }, words);
  const gone = one.status === "deleted";
  return h("div.acts", { "data-key": "acts", role: "group", "aria-label": `Invoice ${one.number}, as a person in FreshBooks` },
    gone ? button("restore", "Restore") : [
      one.status === "draft" ? button("send", "Mark as sent") : button("view", "Client views it"),
      one.open ? h("form.pay", { "data-key": "pay", "data-pay": one.id },
        h("input", { name: "amount", inputmode: "decimal", "aria-label": `Amount to pay in ${one.currency}`, value: one.outstanding, size: "9" }),
        h("button.plain", null, "Pay")) : null,
      button("delete", "Delete"),
    ],
    h("a", { href: one.page, target: "_blank", rel: "noopener", "data-key": "page" }, "Open in FreshBooks"));
}

box.addEventListener("click", (event) => {
  const head = event.target.closest("[data-invoice]");
  const verb = event.target.closest("[data-verb]");
  if (verb) act(`invoices/${verb.dataset.of}/${verb.dataset.verb}`, {});
  if (!head) return;
  ui.invoice = ui.invoice === Number(head.dataset.invoice) ? null : Number(head.dataset.invoice);
  tell("books");
});

box.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { amount } = event.target.elements;
  amount.removeAttribute("data-touched");
  await act(`invoices/${event.target.dataset.pay}/pay`, { amount: amount.value });
});

onChange((changed) => changed.has("books") && showBooks());
