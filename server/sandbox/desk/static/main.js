// Puts the page together: who is listening, what is new, and the question every second.

import "./board.js";
import "./books.js";
import { fill, h } from "./dom.js";
import "./faults.js";
import { hostOf } from "./format.js";
import "./hint.js";
import "./log.js";
import "./move.js";
import "./new_deal.js";
import "./panel.js";
import { deals, onChange, refresh, say, state, tell, ui } from "./store.js";
import "./tabs.js";

const listening = document.getElementById("listening");
const settings = document.getElementById("settings");
const FRESH_FOR = 2500;

function showListening() {
  if (!state.board) return fill(listening, "No Kommo account yet.");
  const living = state.board.listeners.filter((one) => !one.disabled);
  const to = living.map((one) => hostOf(one.to)).filter((host, place, all) => all.indexOf(host) === place);
  listening.classList.toggle("on", living.length > 0);
  return fill(listening, living.length
    ? h("span", null, "Billhook listens", h("span.soft", null, ` at ${to.join(", ")}`))
    : h("span", null, "Nobody listens to hooks yet"));
}

function showSettings() {
  settings.hidden = !state.board?.account.settings;
  if (!settings.hidden) settings.href = state.board.account.settings;
}

let known = new Map();

/** Tell what Billhook wrote since the last look, and let those cards light up. */
function showNews() {
  const now = new Map(deals().map((deal) => [deal.id, digest(deal)]));
  const fresh = deals().filter((deal) => known.size && known.has(deal.id) && known.get(deal.id) !== now.get(deal.id));
  known = now;
  for (const deal of fresh) ui.fresh.set(deal.id, Date.now() + FRESH_FOR);
  if (fresh.length) tell("ui");
  const words = fresh.map(news).filter(Boolean);
  if (words.length) say(words.join(" "));
}

const openTasks = (deal) => deal.tasks.filter((task) => !task.done);
const digest = (deal) => JSON.stringify([deal.invoice, openTasks(deal).map((task) => task.id)]);

function news(deal) {
  const [task] = openTasks(deal);
  if (task) return `${deal.name}: a task for ${task.who}.`;
  if (deal.invoice?.number) return `${deal.name}: invoice ${deal.invoice.number}, ${deal.invoice.status}.`;
  return "";
}

onChange((changed) => {
  if (!changed.has("board")) return;
  showListening();
  showSettings();
  showNews();
});

showNews();
tell("board", "books", "faults", "switches", "log", "clock");
document.body.classList.add("ready");
refresh();
