// Amounts, times and states in words.

/** As many decimals as the currency has; without one, as many as cents have where there are some. */
function digitsOf(currency) {
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 0;
  }
}

/** "1204.2", "EUR" → "1,204.20 EUR"; exact: the digits are never made a float. */
export function money(amount, currency = "") {
  if (amount === null || amount === undefined || amount === "") return "";
  const [whole, cents = ""] = String(amount).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const decimals = cents.padEnd(digitsOf(currency), "0");
  return `${grouped}${decimals ? `.${decimals}` : ""}${currency ? ` ${currency}` : ""}`;
}

const clockTime = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "UTC" });
const clockDay = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
});

export const timeOf = (iso) => clockTime.format(new Date(iso));
export const dayOf = (iso) => clockDay.format(new Date(iso));

/** FreshBooks' and Billhook's states in the words and tones of the page. */
const STATES = {
  draft: ["Draft", "quiet"],
  sent: ["Sent", "blue"],
  viewed: ["Viewed", "blue"],
  partial: ["Partly paid", "amber"],
  paid: ["Paid", "green"],
  overdue: ["Overdue", "red"],
  disputed: ["Disputed", "red"],
  credited: ["Credited", "violet"],
  mismatch: ["Total differs", "red"],
  deleted: ["Deleted", "quiet"],
};

export function stateOf(code, word = "") {
  const [known, tone] = STATES[code] || [word || code, "quiet"];
  return { word: word || known, tone };
}

/** The task's own words, and the token by which its writer finds it again. */
export function taskWords(text) {
  const [, words, token] = /^([^]*?)\s*\[(\w+)\]$/.exec(text) || [null, text, ""];
  return { words, token };
}

export const hostOf = (url) => (URL.canParse(url) ? new URL(url).host : url);

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
