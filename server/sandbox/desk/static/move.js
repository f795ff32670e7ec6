// Moving a deal: by dragging, by the menu, by Shift and an arrow. The sandbox then tells its hooks.

import { fill, h } from "./dom.js";
import { act, dealOf, pipelineOf, stageOf, state, tell, ui } from "./store.js";

const columns = document.getElementById("columns");
const menu = document.getElementById("menu");
let over = null;

/** Show the move at once, then do it; a refusal is undone by what the sandbox tells. */
async function move(deal, pipelineId, stageId) {
  if (deal.stage === stageId && deal.pipeline === pipelineId) return;
  Object.assign(deal, { pipeline: pipelineId, stage: stageId });
  tell("board");
  focusCard(deal.id);
  await act(`deals/${deal.id}/move`, { pipeline: pipelineId, stage: stageId });
  focusCard(deal.id);
}

/** The card was made anew in its column: the keyboard goes with it, unless it went elsewhere. */
function focusCard(id) {
  if (document.activeElement !== document.body) return;
  columns.querySelector(`[data-open="${id}"]`)?.focus({ preventScroll: true });
}

columns.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.(".card");
  if (!card) return;
  ui.dragging = Number(card.dataset.deal);
  event.dataTransfer.setData("text/plain", card.dataset.deal);
  event.dataTransfer.effectAllowed = "move";
  card.classList.add("lifted");
  document.body.classList.add("dragging");
});

columns.addEventListener("dragover", (event) => {
  const column = ui.dragging && event.target.closest(".column");
  if (!column) return;
  event.preventDefault();
  if (column === over) return;
  over?.classList.remove("over");
  over = column;
  over.classList.add("over");
});

columns.addEventListener("drop", (event) => {
  const column = event.target.closest(".column");
  const deal = dealOf(ui.dragging);
  if (!column || !deal) return;
  event.preventDefault();
  endDrag();
  move(deal, ui.pipeline, Number(column.dataset.stage));
});

function endDrag() {
  ui.dragging = null;
  over?.classList.remove("over");
  over = null;
  columns.querySelector(".lifted")?.classList.remove("lifted");
  document.body.classList.remove("dragging");
}

columns.addEventListener("dragend", () => {
  endDrag();
  tell("board");
});

columns.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const card = event.target.closest(".card");
  if (!step || !event.shiftKey || !card) return;
  event.preventDefault();
  const deal = dealOf(card.dataset.deal);
  const stages = pipelineOf(deal.pipeline).stages;
  const next = stages[stages.indexOf(stageOf(deal)) + step];
  if (next) move(deal, deal.pipeline, next.id);
});

columns.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu]");
  if (button) openMenu(button, dealOf(button.dataset.menu));
});

function openMenu(button, deal) {
  const several = state.board.pipelines.length > 1;
  fill(menu, state.board.pipelines.map((pipeline) => h("div", { role: "group", "aria-label": pipeline.name, "data-key": pipeline.id },
    several ? h("p", { "aria-hidden": "true" }, pipeline.name) : null,
    pipeline.stages.map((stage) => item(deal, pipeline, stage)))));
  menu.dataset.deal = deal.id;
  menu.showPopover({ source: button });
  place(button);
  (menu.querySelector("[aria-checked=true]") || menu.querySelector("button")).focus();
}

function item(deal, pipeline, stage) {
  const here = deal.pipeline === pipeline.id && deal.stage === stage.id;
  return h("button", {
    type: "button", role: "menuitemradio", tabindex: "-1", "aria-checked": String(here), "data-key": stage.id,
    "data-to": stage.id, "data-in": pipeline.id, vars: { "--stage": stage.color },
  }, stage.name);
}

/** Under the button, or above it where there is no room; always on the page. */
function place(button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + 4 + height <= innerHeight;
  const top = below ? at.bottom + 4 : Math.max(8, Math.min(at.top - height - 4, innerHeight - height - 8));
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
}

menu.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-to]");
  if (!choice) return;
  menu.hidePopover();
  move(dealOf(menu.dataset.deal), Number(choice.dataset.in), Number(choice.dataset.to));
});

menu.addEventListener("keydown", (event) => {
  const items = [...menu.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Tab") menu.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length].focus();
});
