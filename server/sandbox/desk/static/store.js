// The state as the sandbox last told it, what the page itself remembers, and how both change.

export const state = JSON.parse(document.getElementById("first-state").textContent);
export const ui = { pipeline: null, deal: null, dragging: null, invoice: null, fresh: new Map() };

const listeners = [];
/** `listener(changed)`: a set of section names; "ui" is the page's own part. */
export const onChange = (listener) => listeners.push(listener);
export const tell = (...changed) => listeners.forEach((listener) => listener(new Set(changed)));

export const deals = () => (state.board ? state.board.deals : []);
export const dealOf = (id) => deals().find((deal) => deal.id === Number(id));
export const pipelineOf = (id) => state.board.pipelines.find((one) => one.id === id);
export function stageOf(deal) {
  return pipelineOf(deal.pipeline).stages.find((stage) => stage.id === deal.stage);
}

const EVERY = 1000;
let timer = null;
let asking = null;
let silent = false;

/** Ask what is new, now; the next regular question follows a second later. */
export function refresh() {
  clearTimeout(timer);
  asking = (asking || Promise.resolve()).then(ask);
  return asking;
}

async function ask() {
  try {
    const reply = await fetch(`/desk/state.json?since=${state.version}`);
    const news = await reply.json();
    Object.assign(state, news);
    if (silent) say("The sandbox answers again.");
    silent = false;
    tell(...Object.keys(news));
  } catch {
    if (!silent) say("The sandbox does not answer. Is it still running?", true);
    silent = true;
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, EVERY);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());

/** Post one act. Says what came of it; true if it was done. */
export async function act(path, order) {
  let answer;
  try {
    const reply = await fetch(`/desk/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(order),
    });
    answer = await reply.json();
  } catch {
    answer = { error: "The sandbox does not answer." };
  }
  say(answer.said || sentence(answer.error), Boolean(answer.error));
  // What the page showed ahead of the refusal has to be undone: ask for everything.
  if (answer.error) state.version = "";
  await refresh();
  return !answer.error;
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

let hiding = null;
/** Say it on the page and to screen readers. */
export function say(text, bad = false) {
  const box = document.getElementById("said");
  box.textContent = text;
  box.classList.toggle("bad", bad);
  box.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => box.classList.remove("shown"), bad ? 9000 : 5000);
}
