// What the widget does on Kommo's page: a session for the frame, whenever the frame asks for one.
"use strict";

const frame = document.getElementById("inside");
const inside = new URL(frame.dataset.src).origin;
let underWay = false;

/** Kommo's $authorizedAjax: a token of the user, made by Kommo, in a header of the request. */
async function authorizedAjax(url) {
  const made = await fetch(frame.dataset.token, { method: "POST" });
  const { token } = await made.json();
  return fetch(url, { method: "POST", headers: { "X-Auth-Token": token } });
}

async function session() {
  try {
    const reply = await authorizedAjax(frame.dataset.session);
    const body = await reply.json();
    if (!reply.ok) return { type: "billhook:refused", said: body.error };
    return { type: "billhook:session", token: body.session, expires_in: body.expires_in };
  } catch {
    return { type: "billhook:refused", said: "Billhook does not answer. Load the page again in a minute." };
  }
}

window.addEventListener("message", async (event) => {
  if (event.source !== frame.contentWindow || event.origin !== inside) return;
  if (!event.data || event.data.type !== "billhook:ready" || underWay) return;
  underWay = true;
  const answer = await session();
  underWay = false;
  frame.contentWindow.postMessage(answer, inside);
});

frame.src = frame.dataset.src; // only now: the frame's first word would find nobody listening
