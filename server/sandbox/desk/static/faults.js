// The fault desk, the clock and the switches.

import { fill, h } from "./dom.js";
import { dayOf, plural, timeOf } from "./format.js";
import { act, onChange, state } from "./store.js";

const desk = document.getElementById("faults");
const active = document.getElementById("active");
const badge = document.getElementById("faults-on");
const switches = document.getElementById("switches");
const now = document.getElementById("now");

function showActive() {
  const rows = state.faults || [];
  badge.hidden = !rows.length;
  badge.textContent = rows.length ? `${rows.length} on` : "";
  fill(active, rows.length
    ? [h("ul", { "data-key": "list", "aria-label": "Faults that are on" }, rows.map(row)),
      h("button.plain", { type: "button", "data-clear": "", "data-key": "all" }, "Clear all faults")]
    : h("p.soft", { "data-key": "none" }, "Everything works. Choose what shall go wrong:"));
}

function row(one) {
  const howLong = one.until ? `until ${timeOf(one.until)}` : one.times ? lasting(one.times) : "";
  return h("li", { "data-key": `${one.key} ${one.text}` }, h("span", null, h("b", null, one.text), howLong ? h("span.soft", null, howLong) : null),
    h("button.plain", { type: "button", "data-clear": one.key, "aria-label": `Clear: ${one.text}` }, "Clear"));
}

const lasting = (times) => (times === 1 ? "waits for the next call" : `for ${plural(times, "more call")}`);

const VENDORS = { kommo: "Kommo", freshbooks: "FreshBooks" };

function showSwitches() {
  fill(switches, Object.entries(state.switches || {}).map(([vendor, rows]) => h("fieldset", { "data-key": vendor },
    h("legend", null, VENDORS[vendor]), rows.map((one) => h("label", { "data-key": one.name }, h("span", null, one.words), input(vendor, one))))));
}

function input(vendor, one) {
  const common = { "data-vendor": vendor, "data-switch": one.name };
  if (one.input === "select") {
    return h("select", common, one.choices.map((choice) =>
      h("option", { value: choice, selected: choice === one.value }, choice.replaceAll("_", " "))));
  }
  if (one.input === "checkbox") return h("input", { ...common, type: "checkbox", checked: one.value });
  return h("input", { ...common, type: one.input, value: one.value, step: "any" });
}

switches.addEventListener("change", (event) => {
  const { vendor, switch: name } = event.target.dataset;
  const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
  event.target.removeAttribute("data-touched");
  act("switches", { vendor, name, value });
});

desk.addEventListener("click", (event) => {
  const order = event.target.closest("[data-fault]");
  const clear = event.target.closest("[data-clear]");
  if (order) act("faults", { put: order.dataset.fault });
  if (clear) act("faults/clear", { key: clear.dataset.clear });
});

document.querySelector(".clock").addEventListener("click", (event) => {
  const step = event.target.closest("[data-advance]");
  if (step) act("clock", { advance: Number(step.dataset.advance) });
});

let told = performance.now();

function showClock() {
  const passed = state.clock.frozen ? 0 : performance.now() - told;
  const at = new Date(new Date(state.clock.now).getTime() + passed).toISOString();
  now.dateTime = at;
  fill(now, h("span.day", null, dayOf(at)), h("b", null, timeOf(at)));
}

setInterval(showClock, 500);

onChange((changed) => {
  if (changed.has("clock")) {
    told = performance.now();
    showClock();
  }
  if (changed.has("faults")) showActive();
  if (changed.has("switches")) showSwitches();
});
