// The keys that work on every page. Nothing here is needed to use the pages.
//
// In a list j and k move from line to line (and over to the next page at its end), Enter opens, x selects, n and p turn
// pages. Elsewhere j and k go to the next and previous record. / searches, ? shows the keys, Escape leaves a field.

const rows = [...document.querySelectorAll("[data-row]")];
const dialog = document.getElementById("keys");
let at = -1;

const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
const follow = (rel) => document.querySelector(`a[rel="${rel}"]`)?.click();

// The line that holds the focus is the current one, however the focus came there.
function current() {
  const held = document.activeElement?.closest("[data-row]");
  if (held) at = rows.indexOf(held);
  return at;
}

function move(step) {
  const next = current() + step;
  if (next < 0) return follow("prev");
  if (next >= rows.length) return follow("next");
  rows[at]?.classList.remove("current");
  at = next;
  const row = rows[at];
  row.classList.add("current");
  (row.querySelector("a[data-open]") ?? row).focus();
  row.scrollIntoView({ block: "nearest" });
}

function pick() {
  const box = rows[current()]?.querySelector("[data-pick]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

const acts = {
  "/": () => document.getElementById("search")?.select(),
  "?": () => dialog?.showModal(),
  j: () => (rows.length ? move(1) : follow("next")),
  k: () => (rows.length ? move(-1) : follow("prev")),
  n: () => follow("next"),
  p: () => follow("prev"),
  x: pick,
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.matches("[data-row]")) {
    event.target.querySelector("[data-open]")?.click();
    return;
  }
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-focus]")?.focus();

// A form that was sent is not sent again by a second click while the answer is on its way. One that only downloads
// leaves the page as it is and may be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "download" in form.dataset || "download" in (event.submitter?.dataset ?? {})) return;
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
