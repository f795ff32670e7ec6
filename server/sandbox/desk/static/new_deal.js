// The dialog that adds a deal.

import { fill, h } from "./dom.js";
import { money } from "./format.js";
import { changesIn, input } from "./panel.js";
import { act, pipelineOf, state, ui } from "./store.js";

const dialog = document.getElementById("new-deal");

document.getElementById("add-deal").addEventListener("click", () => {
  dialog.replaceChildren();
  fill(dialog, form());
  people();
  dialog.showModal();
});

const labelled = (words, control, attributes) => h("label", attributes || null, h("span", null, words), control);

function form() {
  const { contacts, products, fields } = state.board.choices;
  const first = pipelineOf(ui.pipeline).stages.find((stage) => !stage.incoming);
  const stages = pipelineOf(ui.pipeline).stages.map((stage) => h("option", { value: stage.id, selected: stage === first }, stage.name));
  return h("form.edit", { method: "dialog" },
    h("h2", { id: "new-deal-title" }, "New deal"),
    labelled("Name", h("input", { name: "name", required: true, autofocus: true, autocomplete: "off" })),
    labelled("Amount", h("input", { name: "price", inputmode: "decimal", autocomplete: "off" })),
    labelled("Stage", h("select", { name: "stage" }, stages)),
    labelled("Contact", h("select", { name: "contact" }, h("option", { value: "" }, "New contact"),
      contacts.map((one) => h("option", { value: one.id }, one.name)))),
    labelled("Contact’s name", h("input", { name: "contact_name", autocomplete: "off" }), { "data-new": true }),
    labelled("E-mail", h("input", { name: "email", autocomplete: "off" }), { "data-new": true }),
    labelled("Company", h("input", { name: "company", autocomplete: "off" }), { "data-new": true }),
    labelled("Product", h("select", { name: "product" }, h("option", { value: "" }, "None"),
      products.map((one) => h("option", { value: one.id }, `${one.name}, ${money(one.price, state.board.account.currency)}`)))),
    labelled("Quantity", h("input", { name: "quantity", inputmode: "decimal", value: "1" })),
    fields.map((field) => labelled(field.name, input(field))),
    h("p.acts", null, h("button.plain", { type: "button", "data-cancel": true }, "Cancel"), h("button.primary", null, "Add deal")));
}

function people() {
  const known = dialog.querySelector("[name=contact]").value !== "";
  for (const label of dialog.querySelectorAll("[data-new]")) label.hidden = known;
}

dialog.addEventListener("change", people);
dialog.addEventListener("click", (event) => event.target.closest("[data-cancel]") && dialog.close());

dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  const order = { ...changesIn([...event.target.elements]), pipeline: ui.pipeline };
  if (await act("deals", order)) dialog.close();
});
