// The first minute: what to do, and what has happened already.

import { fill, h } from "./dom.js";
import { deals, onChange, state } from "./store.js";

const box = document.getElementById("hint");
let first = "";
const CLOSED = "desk-hint-closed";

const isGoal = (stage) => stage.name.toLowerCase() === "issue invoice";

/** The deal that a newcomer is asked to move: one that has all it takes, from right before the goal. */
export function start() {
  const goal = closed() ? null : target();
  if (!goal || deals().some((deal) => deal.invoice || done(deal))) return null;
  const stages = state.board.pipelines.find((one) => one.id === goal.pipeline).stages;
  const nearest = (deal) => stages.findIndex((stage) => stage.id === deal.stage);
  return deals()
    .filter((deal) => deal.pipeline === goal.pipeline && deal.price && deal.contact?.email && deal.products.length)
    .filter((deal) => nearest(deal) < stages.findIndex(isGoal))
    .sort((one, other) => nearest(other) - nearest(one) || one.id - other.id)[0] || null;
}

/** The stage that makes an invoice, in the pipeline of the deal to start with. */
export function target() {
  for (const pipeline of state.board?.pipelines || []) {
    const stage = pipeline.stages.find(isGoal);
    if (stage) return { ...stage, pipeline: pipeline.id };
  }
  return null;
}

/** Whether the deal stands in a stage that makes invoices. */
export function done(deal) {
  const pipeline = state.board.pipelines.find((one) => one.id === deal.pipeline);
  return pipeline.stages.some((stage) => stage.id === deal.stage && isGoal(stage));
}

function closed() {
  return localStorage.getItem(CLOSED) === "yes";
}

function showHint() {
  const goal = state.board && target();
  box.hidden = closed() || !goal;
  if (box.hidden) return;
  const moved = deals().some((deal) => done(deal) || deal.invoice);
  const billed = deals().some((deal) => deal.invoice?.number);
  first = first || start()?.name;
  const steps = [
    [moved, ["Drag ", h("b", null, first || "a deal"), " to ", h("b", null, goal.name), ", or use its “Move to…”."]],
    [billed, ["Watch the card: within seconds it shows its invoice. The invoice itself stands in FreshBooks."]],
    [false, ["Order a fault and move another deal: it is billed once all the same. ", h("b", null, "+1 min"), " saves waiting for retries."]],
  ];
  const now = steps.findIndex(([ticked]) => !ticked);
  fill(box,
    h("ol", null, steps.map(([ticked, words], place) => step(ticked, words, place === now, place + 1))),
    h("button.icon", { type: "button", "data-close-hint": true, "aria-label": "Close the hint" }, "✕"));
}

function step(ticked, words, now, number) {
  return h("li", { "data-step": number, class: ticked ? "done" : now ? "now" : "", "aria-current": now ? "step" : false },
    ticked ? h("span.sr", null, "Done: ") : null, h("span", null, words));
}

box.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close-hint]")) return;
  localStorage.setItem(CLOSED, "yes");
  showHint();
  document.getElementById("columns").focus();
});

onChange((changed) => (changed.has("board") || changed.has("faults")) && showHint());
