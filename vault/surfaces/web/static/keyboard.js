// The keys that work on every page: / to search, j and k for the next and previous record or list page,
// Escape to leave a field. Nothing here is needed to use the pages.

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.select();
  } else if (event.key === "j") {
    document.querySelector('a[rel="next"]')?.click();
  } else if (event.key === "k") {
    document.querySelector('a[rel="prev"]')?.click();
  }
});

document.querySelector("[data-focus]")?.focus();

// A form that was sent is not sent again by a second click while the answer is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
