// One deal in full: what Billhook wrote, tasks, what can be mended, products, hooks.

import { hookAnswer, invoice } from "./board.js";
import { fill, h } from "./dom.js";
import { hostOf, money, taskWords, timeOf } from "./format.js";
import { done } from "./hint.js";
import { act, dealOf, onChange, pipelineOf, stageOf, state, tell, ui } from "./store.js";

const panel = document.getElementById("panel");

function showPanel() {
  const deal = ui.deal && dealOf(ui.deal);
  if (!deal) return close();
  panel.hidden = false;
  document.body.classList.add("with-panel");
  fill(panel, h("header", { "data-key": "head" },
    h("div", null, h("h2", { id: "panel-title", tabindex: "-1" }, deal.name),
      h("p.soft", null, `${pipelineOf(deal.pipeline).name} · ${stageOf(deal).name} · ${deal.responsible}`)),
    h("button.icon", { type: "button", "data-close": true, "aria-label": "Close the deal" }, "✕")),
  h("div.body", { "data-key": `body-${deal.id}` }, parts(deal)));
  return undefined;
}

function parts(deal) {
  return [
    section("invoice", "Invoice", invoice(deal) || h("p.soft", null, none(deal))),
    deal.tasks.length ? section("tasks", "Tasks", h("ul", null, deal.tasks.map(task))) : null,
    section("deal", "Deal", form(deal)),
    section("products", "Products", products(deal)),
    people(deal),
    deal.notes.length ? section("notes", "Notes", deal.notes.map((note) => h("p", null, note))) : null,
    section("hooks", "Hooks of this deal", hooks(deal)),
    h("p.last", { "data-key": "last" }, h("button.danger", { type: "button", "data-trash": deal.id }, "Move to trash")),
  ];
}

function none(deal) {
  if (!done(deal)) return "None yet. Move the deal to “Issue invoice”.";
  return deal.tasks.some((one) => !one.done) ? "None yet. The task says what is missing." : "None yet. It takes a few seconds.";
}

const section = (key, title, ...inside) => h("section", { "data-key": key }, h("h3", null, title), ...inside);

function task(one) {
  const { words, token } = taskWords(one.text);
  return h("li.row", { "data-key": one.id, class: one.done ? "done" : "" },
    h("span", null, h("b", null, one.done ? "Done: " : `Task for ${one.who}: `), words,
      h("span.soft", null, [token, one.result].filter(Boolean).join(" · "))),
    one.done ? null : h("button.plain", { type: "button", "data-done": one.id, "aria-label": `Done: ${words}` }, "Done"));
}

function form(deal) {
  const filled = deal.fields.filter((field) => !field.input && field.shown);
  return h("form.edit", { "data-save": deal.id },
    labelled("Amount", h("input", { name: "price", inputmode: "decimal", value: bare(deal.price, deal.currency), placeholder: "No amount" }), deal.currency),
    deal.contact ? labelled("Contact’s e-mail", h("input", { name: "email", value: deal.contact.email, placeholder: "No e-mail" })) : labelled("Contact", whom()),
    deal.fields.filter((field) => field.input).map((field) => labelled(field.name, input(field))),
    filled.map((field) => h("p.fact", null, h("span", null, field.name), field.shown)),
    h("p.acts", null, h("button.primary", null, "Save")));
}

/** Somebody to bill, for a deal that has nobody. */
const whom = () => h("select", { name: "contact" }, h("option", { value: "" }, "Nobody"),
  state.board.choices.contacts.map((one) => h("option", { value: one.id }, one.name)));

/** As a person types it: with its cents, without commas or currency. */
const bare = (amount, currency) => money(amount, currency).split(" ")[0].replaceAll(",", "");

const labelled = (words, control, after) => h("label", null, h("span", null, words), control, after ? h("em", null, after) : null);

export function input(field) {
  const name = `field-${field.id}`;
  if (field.input === "select") {
    return h("select", { name }, h("option", { value: "" }, "–"),
      field.choices.map((choice) => h("option", { value: choice, selected: choice === field.value }, choice)));
  }
  if (field.input === "checkbox") return h("input", { name, type: "checkbox", checked: field.value });
  const type = field.input === "date" ? "date" : "text";
  return h("input", { name, type, inputmode: field.input === "number" ? "decimal" : false, value: field.value });
}

function products(deal) {
  const sum = (amount) => money(amount, deal.currency).split(" ")[0] || "?";
  if (!deal.products.length) return h("p.soft", null, "No products; the amount alone is billed.");
  return h("table", null,
    h("thead", null, h("tr", null, h("th", null, "Product"), h("th.n", null, "Qty × price"), h("th.n", null, "Sum"))),
    h("tbody", null, deal.products.map((one) => h("tr", null, h("td", null, one.name),
      h("td.n", null, `${one.quantity} × ${sum(one.price)}`), h("td.n", null, sum(one.total))))));
}

function people(deal) {
  const cards = [["Contact", deal.contact], ["Company", deal.company]].filter(([, one]) => one);
  return cards.map(([title, one]) => section(title, title, h("p", null, h("b", null, one.name)),
    Object.entries(one.values).map(([name, value]) => h("p.fact", null, h("span", null, name), value))));
}

function hooks(deal) {
  if (!deal.hooks.length) return h("p.soft", null, "None yet. A move sends one to everybody who subscribed.");
  return h("ul", null, deal.hooks.map((hook) => {
    const [tone, words] = hookAnswer(hook);
    return h("li.row", { "data-key": hook.id }, h("span", null, h("b", null, hook.text), h("span.soft", null, `${timeOf(hook.at)}, to ${hostOf(hook.to)}`)),
      h("span.answer", { class: tone }, tone === "good" ? `answered ${words}` : words));
  }));
}

export function open(id) {
  ui.deal = Number(id);
  tell("ui");
  panel.querySelector("#panel-title").focus();
}

function close() {
  if (panel.hidden) return;
  const from = document.querySelector(`[data-open="${ui.deal}"]`);
  ui.deal = null;
  panel.hidden = true;
  panel.replaceChildren();
  document.body.classList.remove("with-panel");
  tell("ui");
  from?.focus();
}

document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-open]");
  const card = event.target.closest(".card");
  if (name) open(name.dataset.open);
  else if (card && !event.target.closest("a, button")) open(card.dataset.deal);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], :popover-open")) close();
});

panel.addEventListener("click", async (event) => {
  const ticked = event.target.closest("[data-done]");
  const trash = event.target.closest("[data-trash]");
  if (event.target.closest("[data-close]")) close();
  if (ticked) act(`tasks/${ticked.dataset.done}/done`, { result: "Done at the desk" });
  if (trash) await act(`deals/${trash.dataset.trash}/delete`, {});
});

panel.addEventListener("input", (event) => event.target.setAttribute("data-touched", ""));

panel.addEventListener("submit", async (event) => {
  event.preventDefault();
  const touched = [...event.target.elements].filter((field) => field.hasAttribute("data-touched"));
  if (await act(`deals/${event.target.dataset.save}`, changesIn(touched))) {
    for (const field of touched) field.removeAttribute("data-touched");
    tell("board");
  }
});

/** Only what was touched is sent: the rest may have changed meanwhile. */
export function changesIn(controls) {
  const order = { fields: {} };
  for (const field of controls) {
    const value = field.type === "checkbox" ? field.checked : field.value.trim();
    if (field.name.startsWith("field-")) order.fields[field.name.slice(6)] = value;
    else if (field.name) order[field.name] = value;
  }
  return order;
}

onChange((changed) => (changed.has("board") || changed.has("ui")) && ui.deal && showPanel());
