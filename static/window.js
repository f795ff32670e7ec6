/* The window that the frame inside Kommo opens for a consent. It asks its opener for the ticket, and
   takes it from a page of our own origin alone: whoever sends somebody a link cannot answer. */
"use strict";

(function () {
  const PATIENCE = 10000;
  const said = document.getElementById("said");
  const home = location.origin;
  let taken = false;

  const tell = (sentence) => { said.textContent = sentence; };
  const late = setTimeout(() => tell(said.dataset.late), window.opener ? PATIENCE : 0);

  window.addEventListener("message", (event) => {
    if (event.source !== window.opener || event.origin !== home || !event.data) return;
    if (event.data.type !== "billhook:ticket" || taken) return;
    taken = true;
    clearTimeout(late);
    leave(String(event.data.ticket)).catch(() => tell(said.dataset.failed));
  });

  async function leave(ticket) {
    const reply = await fetch(location.pathname, {
      method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ ticket }),
    });
    const body = await reply.json();
    if (reply.ok) location.replace(body.url);
    else tell(body.error);
  }

  if (window.opener) window.opener.postMessage({ type: "billhook:window" }, home);
})();
