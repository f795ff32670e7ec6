// The pipeline as columns of cards.

import { fill, h } from "./dom.js";
import { money, plural, stateOf, taskWords } from "./format.js";
import { start, target } from "./hint.js";
import { deals, onChange, pipelineOf, state, tell, ui } from "./store.js";

// 142 and 143 are Kommo's won and lost, in every pipeline.
const CLOSED = new Set([142, 143]);
const columns = document.getElementById("columns");
const pipelines = document.getElementById("pipelines");

export function showBoard() {
  if (!state.board || ui.dragging) return;
  const chosen = pipelineOf(ui.pipeline) || pipelineOf(start()?.pipeline) || state.board.pipelines[0];
  ui.pipeline = chosen.id;
  fill(pipelines, state.board.pipelines.map((one) => segment(one, one === chosen)));
  fill(columns, chosen.stages.map((stage) => column(chosen, stage)));
  showFirst();
}

function segment(pipeline, chosen) {
  return h("button", {
    type: "button", "data-key": pipeline.id, "data-pipeline": pipeline.id, "aria-pressed": String(chosen),
  }, pipeline.name);
}

function column(pipeline, stage) {
  const here = deals().filter((one) => one.pipeline === pipeline.id && one.stage === stage.id);
  const slim = !here.length && (stage.incoming || CLOSED.has(stage.id));
  return h("section.column", {
    "data-key": stage.id, "data-stage": stage.id, class: slim ? "slim" : "",
    "aria-label": `${stage.name}, ${plural(here.length, "deal")}`, vars: { "--stage": stage.color },
  },
  h("h3", null, h("span", null, stage.name), here.length ? h("span.count", { "aria-hidden": "true" }, here.length) : null),
  h("ul.cards", null, here.map(card), here.length ? null : h("li.none", { "data-key": "none" }, emptyWords(pipeline, stage))));
}

function emptyWords(pipeline, stage) {
  const goal = target();
  return goal && goal.id === stage.id && goal.pipeline === pipeline.id ? "Drop a deal here" : "No deals";
}

function card(deal) {
  const first = start();
  const fresh = (ui.fresh.get(deal.id) || 0) > Date.now();
  return h("li.card", {
    "data-key": deal.id, "data-deal": deal.id, draggable: "true",
    class: `${fresh ? "fresh" : ""} ${deal.tasks.some((task) => !task.done) ? "troubled" : ""} ${first && first.id === deal.id ? "first" : ""} ${ui.deal === deal.id ? "open" : ""}`,
  },
  h("button.name", { type: "button", "data-open": deal.id, "aria-keyshortcuts": "Shift+ArrowLeft Shift+ArrowRight" }, deal.name),
  h("p.amount", null, deal.price === null ? "No amount" : money(deal.price, deal.currency)),
  people(deal),
  marks(deal),
  invoice(deal),
  deal.tasks.filter((task) => !task.done).map((task) => h("p.task", { "data-key": `task-${task.id}` }, h("b", null, `Task for ${task.who}: `), taskWords(task.text).words)),
  h("div.foot", null, hookWords(deal), h("button.move", {
    type: "button", "data-menu": deal.id, "aria-haspopup": "menu", "aria-label": `Move ${deal.name} to…`,
  }, "Move to…")));
}

function people(deal) {
  const names = [deal.company?.name, deal.contact?.name].filter(Boolean);
  return h("p.who", null, names.length ? names.join(" · ") : "Nobody linked");
}

function marks(deal) {
  if (!deal.tags.length && !deal.chips.length) return null;
  return h("ul.marks", { "aria-label": "Tags and fields" },
    deal.tags.map((tag) => h("li.tag", null, tag)),
    deal.chips.map((chip) => h("li.fact", null, h("span", null, chip.name), " ", h("b", null, chip.value))));
}

/** What Billhook wrote on the deal: word and colour, number, amount, the link for whom it is. */
export function invoice(deal) {
  const written = deal.invoice;
  if (!written) return null;
  const shown = stateOf(written.tone, written.status);
  return h("div.invoice", { "data-key": "invoice" },
    h("p", null, h("span.pill", { class: shown.tone }, shown.word), " ", h("b.number", null, written.number)),
    written.amount ? h("p.sum", null, money(written.amount, deal.currency)) : null,
    /^https?:/.test(written.link) ? h("a", { href: written.link, target: "_blank", rel: "noopener" }, linkWords(written)) : null);
}

function linkWords(written) {
  return written.tone === "draft" ? "Draft, for your team only" : "Client’s page";
}

function hookWords(deal) {
  const last = deal.hooks.find((hook) => hook.text.includes("Stage"));
  if (!last) return h("span.hook", null);
  const [tone, words] = hookAnswer(last);
  return h("span.hook", { class: tone }, `Hook ${words}`);
}

export function hookAnswer(hook) {
  if (hook.state === "taken") return ["good", hook.answer];
  if (hook.state === "dropped") return ["bad", "lost"];
  if (!hook.tries) return ["quiet", "on its way"];
  return ["bad", hook.state === "waiting" ? `${hook.answer}, comes again` : hook.answer];
}

pipelines.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pipeline]");
  if (!button) return;
  ui.pipeline = Number(button.dataset.pipeline);
  tell("ui");
});

let shownFirst = false;

/** Once: bring the deal to start with and its goal into sight, where the board is wider than the page. */
function showFirst() {
  const from = columns.querySelector(".card.first")?.closest(".column") || columns.querySelector(".column:has(.card)");
  if (shownFirst || !from) return;
  shownFirst = true;
  const goal = target() && columns.querySelector(`[data-stage="${target().id}"]`);
  const right = (goal || from).offsetLeft + (goal || from).offsetWidth;
  if (right > columns.clientWidth) columns.scrollLeft = from.offsetLeft - 16;
}

onChange((changed) => (changed.has("board") || changed.has("ui")) && showBoard());
