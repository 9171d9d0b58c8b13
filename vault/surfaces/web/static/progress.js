// Work that goes on elsewhere: asks how far it is, shows it, and loads the page anew when it has ended.
// Answer expected: {"state": "running", "done": 3, "total": 10, "text": "3 of 10", "version": "…"}.
// `text` is in the reader's language; a change of `state` or, with data-reload, of `version` loads the page.

const SHORTEST_MS = 1000;
const LONGEST_MS = 10000;

for (const place of document.querySelectorAll("[data-progress]")) follow(place);

async function follow(place) {
  const bar = place.querySelector("progress");
  const words = place.querySelector(".progress-text");
  let wait = SHORTEST_MS;
  let first = null;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.hidden) continue;
    let answer;
    try {
      const response = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
      if (response.status === 401 || response.status === 404) return;
      if (!response.ok) throw new Error(String(response.status));
      answer = await response.json();
    } catch {
      wait = Math.min(wait * 2, LONGEST_MS);
      continue;
    }
    first ??= answer;
    const changed = answer.state !== first.state || ("reload" in place.dataset && answer.version !== first.version);
    if ((changed || answer.is_ended) && !isBusy()) {
      location.reload();
      return;
    }
    if (bar && answer.total) {
      bar.max = answer.total;
      bar.value = answer.done;
    }
    if (words && answer.text && words.textContent !== answer.text) words.textContent = answer.text;
    wait = Math.min(wait + 250, 3000);
  }
}

// Loading anew would throw away what a person is typing or has selected.
function isBusy() {
  const active = document.activeElement;
  return active !== null && active.closest("input, textarea, select") !== null;
}
