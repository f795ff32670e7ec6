// The fault desk, the clock and the switches.

import { fill, h } from "./dom.js";
import { dayOf, plural, timeOf } from "./format.js";
import { act, onChange, state } from "./store.js";

const desk = document.getElementById("faults");
const active = document.getElementById("active");
const said = document.getElementById("faults-said");
const clearAll = document.getElementById("clear-all");
const badge = document.getElementById("faults-on");
const switches = document.getElementById("switches");
const now = document.getElementById("now");

function showActive() {
  const rows = state.faults || [];
  badge.hidden = !rows.length;
  badge.textContent = rows.length ? `${rows.length} on` : "";
  said.textContent = rows.length ? `${plural(rows.length, "fault is", "faults are")} on.` : "Everything works.";
  clearAll.classList.toggle("unseen", !rows.length);
  fill(active, rows.filter((one) => !one.button).map(row));
  for (const button of desk.querySelectorAll("[data-fault]")) press(button, rows.find((one) => one.button === button.dataset.fault));
}

/** A button that is on says for how long, in the place of what it does: nothing moves. */
function press(button, on) {
  const words = button.querySelector("[data-what]");
  button.setAttribute("aria-pressed", String(Boolean(on)));
  button.dataset.on = on ? on.key : "";
  const text = on ? `On${howLong(on)}. Press to clear.` : words.dataset.what;
  if (words.textContent !== text) words.textContent = text;
}

function row(one) {
  return h("li", { "data-key": one.key }, h("span", null, h("b", null, one.text), h("span.soft", null, `On${howLong(one)}`)),
    h("button.plain", { type: "button", "data-clear": one.key, "aria-label": `Clear: ${one.text}` }, "Clear"));
}

function howLong(one) {
  if (one.until) return ` until ${timeOf(one.until)}`;
  if (one.times) return one.times === 1 ? ", waits for its moment" : ` for ${one.times} more`;
  return "";
}

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
  if (order && order.dataset.on) act("faults/clear", { key: order.dataset.on });
  else if (order) act("faults", { put: order.dataset.fault });
  if (clear) act("faults/clear", { key: clear.dataset.clear });
});

clearAll.addEventListener("click", () => act("faults/clear", {}));

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
