/* Inside Kommo: the page gets its session from the widget around it, keeps it in memory alone and
   sends it with every request. The widget is told {type: "billhook:ready"} and answers
   {type: "billhook:session", token, expires_in} or {type: "billhook:refused", said}. */
"use strict";

(function () {
  const HEADER = "X-Billhook-Session";
  const REPEATED = "X-Billhook-Again";
  const ASK_AGAIN = 3000;
  const PATIENCE = 10000;
  const LAST_MINUTES = 120; // seconds; a session that cannot be renewed for longer is asked for anew

  const said = document.body.dataset;
  const home = said.parent;
  const failed = new Map(); // what was refused for want of a session, by the element that asked
  let token = "";
  let asking = null;
  let renewal = 0;

  const waiting = () => document.getElementById("waiting");

  function tell(sentence) {
    if (waiting()) {
      waiting().textContent = sentence;
      document.getElementById("again").hidden = false;
      return;
    }
    const line = document.createElement("p");
    line.textContent = sentence;
    document.getElementById("notice").replaceChildren(line);
  }

  /* ---- The session ---- */

  const ask = () => window.parent.postMessage({ type: "billhook:ready" }, home);

  function askUntilAnswered() {
    if (asking) return;
    asking = {
      again: setInterval(ask, ASK_AGAIN),
      late: setTimeout(() => tell(token ? said.ended : said.late), PATIENCE),
    };
    ask();
  }

  function answered() {
    if (!asking) return;
    clearInterval(asking.again);
    clearTimeout(asking.late);
    asking = null;
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== home || !event.data) return;
    if (event.data.type === "billhook:session") begin(event.data);
    if (event.data.type === "billhook:refused") refuse(event.data);
  });

  function begin(message) {
    const first = !token;
    answered();
    keep(String(message.token), Number(message.expires_in) || 600);
    if (first) load(where());
    const again = [...failed.values()];
    failed.clear();
    again.forEach((repeat) => repeat());
  }

  function refuse(message) {
    answered();
    failed.clear();
    tell(String(message.said));
  }

  function keep(fresh, seconds) {
    token = fresh;
    clearTimeout(renewal);
    const soon = seconds > LAST_MINUTES ? renew : askUntilAnswered;
    renewal = setTimeout(soon, Math.max(seconds - LAST_MINUTES, seconds / 2) * 1000);
  }

  async function renew() {
    try {
      const reply = await fetch(said.renew, { method: "POST", headers: { [HEADER]: token } });
      if (!reply.ok) return askUntilAnswered();
      const body = await reply.json();
      return keep(body.session, body.expires_in);
    } catch {
      return keep(token, LAST_MINUTES); // no connection: the next request will say so
    }
  }

  /* ---- A consent's window: it asks for the ticket that this page shows a link for ---- */

  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || !event.data) return;
    const link = document.querySelector("[data-ticket]");
    if (event.data.type !== "billhook:window" || !link) return;
    event.source.postMessage({ type: "billhook:ticket", ticket: link.dataset.ticket }, location.origin);
  });

  /* ---- Requests ---- */

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers[HEADER] = token;
  });

  // A session that ended while somebody typed: the same request goes out once more with a new one.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt, target, select, etc, requestConfig } = event.detail;
    if (xhr.status !== 401 || requestConfig.headers[REPEATED]) return;
    event.preventDefault();
    failed.set(elt, () => {
      if (!elt.isConnected) return;
      htmx.ajax(requestConfig.verb, requestConfig.path, {
        source: elt, event: requestConfig.triggeringEvent, values: requestConfig.formData,
        headers: { [REPEATED]: "1" }, target, select, swap: etc.swapOverride,
      });
    });
    askUntilAnswered();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = event.detail;
    if (!waiting() || successful || xhr.status === 401) return;
    if (xhr.status < 400 || xhr.status >= 500) return tell(said.failed);
    const why = document.getElementById("notice").firstElementChild; // it says so, and leads on
    waiting().replaceChildren(...why.childNodes);
    htmx.process(waiting());
    why.remove();
  });

  /* ---- The page that is shown, kept behind the address's "#": Back works, also after a reload ---- */

  let page = ""; // what is shown, as the address says it

  function where() {
    const path = location.hash.slice(1);
    return path.startsWith("/app/") ? path : said.first;
  }

  const load = (path) => htmx.ajax("GET", path, { target: "#page", swap: "innerHTML show:window:top" });

  document.addEventListener("htmx:afterOnLoad", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    if (target.id !== "page" || xhr.status >= 300) return;
    const shown = new URL(xhr.responseURL);
    if (!shown.pathname.startsWith("/app/")) return;
    const moved = shown.pathname !== new URL(requestConfig.path, location.href).pathname;
    if (requestConfig.verb !== "get" && !moved) return;
    shown.searchParams.delete("said");
    page = `#${shown.pathname}${shown.search}`;
    if (!location.hash) history.replaceState(null, "", page);
    else if (page !== location.hash) history.pushState(null, "", page);
  });

  window.addEventListener("popstate", () => {
    if (token && location.hash.startsWith("#/app/")) load(where());
  });

  // Who went Back and then stays for what is not saved finds the address of another page there.
  document.addEventListener("close", (event) => {
    if (event.target.id !== "unsaved" || event.target.returnValue === "leave") return;
    if (page && page !== location.hash) history.pushState(null, "", page);
  }, true);

  document.getElementById("again").addEventListener("click", () => {
    document.getElementById("again").hidden = true;
    if (token) load(where());
    else askUntilAnswered();
  });

  waiting().hidden = false;
  if (window.parent === window) tell(said.alone);
  else askUntilAnswered();
})();
