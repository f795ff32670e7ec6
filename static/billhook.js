/* What pages need beyond htmx: focus after a swap, rows that are dragged, fields that are inserted.
   Everything here has a form that works without it. */
"use strict";

(function () {
  const page = () => document.getElementById("page");
  const notice = () => document.getElementById("notice");

  // After a whole page was swapped in, the reader's focus goes to its content, not to nowhere: to
  // where the page says, to what is wrong, or to the same button as before, to which htmx gave it.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== page()) return;
    const here = page().querySelector("[autofocus], [data-focus]") ||
      page().querySelector("[aria-invalid=true]");
    if (!here && document.getElementById("main").contains(document.activeElement)) return;
    (here || document.getElementById("main")).focus({ preventScroll: true });
    // htmx scrolls to the page's top as its last deed; what is gone on with has to be in sight.
    if (here) queueMicrotask(() => here.scrollIntoView({ block: "center" }));
  });

  const polls = (asker) => (asker.getAttribute("hx-trigger") || "").startsWith("every");

  // A notice of what failed goes away with the next thing that works; of what a person did, not
  // with a live part's asking, which comes within seconds.
  let isForPerson = false;
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, requestConfig } = event.detail;
    const byItself = polls(requestConfig.elt);
    if (!successful) isForPerson ||= !byItself;
    else if (notice() && !(byItself && isForPerson)) {
      notice().replaceChildren();
      isForPerson = false;
    }
  });

  // A live part that cannot be read again says since when, stays as it is, and asks on.
  const stale = (event) => {
    const note = event.detail.requestConfig.elt.nextElementSibling;
    if (!note || !note.matches(".stale")) return false;
    note.hidden = false;
    return true;
  };
  document.addEventListener("htmx:timeout", stale);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { status } = event.detail.xhr;
    if ((status >= 500 || status === 429) && stale(event)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (stale(event)) return;
    const said = document.createElement("p");
    said.textContent = page().dataset.offline || "No connection. What you typed is still here.";
    notice().replaceChildren(said);
  });

  // An error that came while the form was typed, or went, marks its control.
  document.addEventListener("htmx:load", (event) => {
    const error = event.target;
    if (!error.matches || !error.matches(".live-error")) return;
    for (const control of document.querySelectorAll(`[aria-describedby~="${error.id}"]`)) {
      if (error.textContent.trim()) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  });

  // A live part is not asked for while nobody sees it, nor swapped under the reader's hands (but
  // where it waits for what the reader does elsewhere: data-eager).
  document.addEventListener("htmx:beforeRequest", (event) => {
    const live = event.detail.elt;
    const part = event.detail.target || live;
    const held = !live.hasAttribute("data-eager") && part.contains(document.activeElement);
    if (polls(live) && (document.hidden || held)) event.preventDefault();
  });

  // An answer for a part that has gone, or whose asker has gone with the page, is dropped: what it
  // brings along has no place, or is older than what stands there. A page that comes late counts.
  // Listened for on whoever asked, for nothing of a part that has gone reaches the document; by one
  // function, which an element takes once however often it asks.
  const dropLate = (answer) => {
    const { target, elt } = answer.detail;
    if (!target || target === page()) return;
    if (!target.isConnected || !elt.isConnected) answer.preventDefault();
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    event.detail.elt.addEventListener("htmx:beforeOnLoad", dropLate);
  });

  // A link within the page leads to a control. The address stays: in the frame it says which page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const there = link && document.getElementById(link.hash.slice(1));
    if (!there) return;
    event.preventDefault();
    if (there.closest("details")) there.closest("details").open = true;
    there.focus();
  });

  // <select data-submit> sends its form when it changes; the button beside it is for who has no JS.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // <button data-insert="#field" data-from="#list">: put what is chosen in one into the other.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const field = document.querySelector(button.dataset.insert);
    const chosen = document.querySelector(button.dataset.from).value;
    if (!chosen) return;
    field.setRangeText(`{${chosen}}`, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  });

  // <form data-unsaved>: what was changed in it is not left behind without a question; with
  // data-unsaved="typed" it came with something in it that nobody has saved yet. A frame may not
  // use the browser's own question for links, so that is <dialog id="unsaved">.
  const asTheyCame = new WeakMap();
  const content = (form) => new URLSearchParams(
    [...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
  const forms = () => [...document.querySelectorAll("form[data-unsaved]")];
  const isUnsaved = () => forms().some((form) =>
    form.dataset.unsaved === "typed" ||
    (asTheyCame.has(form) && asTheyCame.get(form) !== content(form)));
  document.addEventListener("htmx:load", () => {
    for (const form of forms()) if (!asTheyCame.has(form)) asTheyCame.set(form, content(form));
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target, verb, issueRequest } = event.detail;
    const isItsOwn = verb !== "get" && elt.closest("form[data-unsaved]");
    if (target !== page() || isItsOwn || !isUnsaved()) return;
    event.preventDefault();
    const question = document.getElementById("unsaved");
    question.returnValue = "";
    question.onclose = () => { if (question.returnValue === "leave") issueRequest(true); };
    question.showModal();
  });
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });

  // <button data-copy="text">
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) navigator.clipboard.writeText(button.dataset.copy);
  });

  // <ol data-order> of <li draggable>: dropped where it shall be; then the form inside is sent.
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest ? event.target.closest("[data-order] > [draggable]") : null;
    if (dragged) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-order] > [draggable]");
    if (!dragged || !over || over.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    over.parentElement.insertBefore(
      dragged, event.clientY < box.top + box.height / 2 ? over : over.nextElementSibling);
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const list = dragged.parentElement;
    dragged = null;
    const form = document.querySelector(list.dataset.order);
    form.elements.order.value = [...list.children].map((row) => row.dataset.slug).join(",");
    form.requestSubmit();
  });
})();
