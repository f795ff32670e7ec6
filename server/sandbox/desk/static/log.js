// What is said between the vendors and Billhook, newest first.

import { fill, h } from "./dom.js";
import { timeOf } from "./format.js";
import { onChange, state } from "./store.js";

const box = document.getElementById("log");
const SIDES = { kommo: "Kommo", freshbooks: "FreshBooks" };

function showLog() {
  const rows = state.log || [];
  fill(box, rows.length ? rows.map(row) : h("li.none", { "data-key": "none" }, "Nothing yet. Move a deal."));
}

function row(one) {
  return h("li", { "data-key": one.key, class: one.kind, title: one.detail },
    h("time", { datetime: one.at }, timeOf(one.at)),
    h("span.side", null, one.kind === "hook" ? `${SIDES[one.vendor]} →` : `→ ${SIDES[one.vendor]}`),
    h("span.what", null, one.text, one.count > 1 ? h("span.times", null, ` ×${one.count}`) : null),
    h("span.answer", { class: one.tone }, one.answer));
}

onChange((changed) => changed.has("log") && showLog());
