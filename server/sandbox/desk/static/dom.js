// Elements from plain calls, and a page that follows them without losing focus or what is typed.

/** h("li.card", {"data-deal": 4, vars: {"--stage": "#9cf"}}, "text", [more]) → an element.
 *  Attributes that are false, null or undefined are left out; true is an empty attribute. */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "vars") {
      for (const [prop, set] of Object.entries(value)) element.style.setProperty(prop, set);
    } else if (key === "class") {
      element.classList.add(...value.split(" ").filter(Boolean));
    } else {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** Make the children of `target` look like `children`, changing only what differs. */
export function fill(target, ...children) {
  const next = document.createElement("div");
  next.append(...children.flat(Infinity).filter((child) => child || child === 0));
  followChildren(target, next);
}

const keyOf = (node) => (node.nodeType === 1 ? node.getAttribute("data-key") : null);

function followChildren(old, next) {
  const keyed = new Map();
  for (const child of old.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  let place = old.firstChild;
  for (const wanted of [...next.childNodes]) {
    const key = keyOf(wanted);
    const match = key ? keyed.get(key) : place && !keyOf(place) && alike(place, wanted) ? place : null;
    if (!match || !alike(match, wanted)) {
      old.insertBefore(wanted, place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else old.insertBefore(match, place);
    follow(match, wanted);
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function follow(old, next) {
  if (old.nodeType === 3) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  followAttributes(old, next);
  if (old.nodeName === "SELECT" && busy(old)) return;
  followChildren(old, next);
  if (["INPUT", "SELECT", "TEXTAREA"].includes(old.nodeName) && !busy(old)) followValue(old, next);
}

// What a person is typing stays theirs until it is saved.
const busy = (field) => field === document.activeElement || field.hasAttribute("data-touched");

function followValue(old, next) {
  if (old.type === "checkbox") old.checked = next.hasAttribute("checked");
  else if (old.value !== next.value) old.value = next.value;
}

// "open" of details and "data-touched" are the person's; style goes by the CSSOM for the CSP.
const OWN = new Set(["open", "data-touched", "style"]);

function followAttributes(old, next) {
  for (const { name } of [...old.attributes]) {
    if (!OWN.has(name) && !next.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (!OWN.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== next.style.cssText) old.style.cssText = next.style.cssText;
}
