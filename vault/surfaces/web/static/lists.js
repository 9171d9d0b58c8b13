// Selection in lists, over all their pages: what is ticked on one is remembered for the others until it is acted upon.
// Only ids are remembered, in this tab alone. Without this script the ticks of one page, or the whole list, are sent.

const form = document.getElementById("bulk");
const picks = form ? [...form.querySelectorAll("[data-pick]")] : [];
const all = document.querySelector("[data-pick-all]");
const bar = document.getElementById("bulk-bar");
const words = bar?.querySelector("[data-picked]");
const clear = bar?.querySelector("[data-clear]");
const whole = form?.querySelector('[name="whole_list"]');
const resting = words?.textContent;
const keyOf = (list) => `picked:${list}`;

function remembered(list) {
  return new Set(JSON.parse(sessionStorage.getItem(keyOf(list)) ?? "[]"));
}

function remember(list, ids) {
  if (ids.size) sessionStorage.setItem(keyOf(list), JSON.stringify([...ids]));
  else sessionStorage.removeItem(keyOf(list));
}

// What was acted upon is no longer selected.
const done = document.querySelector("[data-done]");
if (done) remember(done.dataset.done, new Set());

function show() {
  const ids = remembered(form.dataset.list);
  for (const pick of picks) {
    if (pick.checked) ids.add(pick.value);
    else ids.delete(pick.value);
  }
  remember(form.dataset.list, ids);
  const here = picks.filter((pick) => pick.checked).length;
  const elsewhere = ids.size - here;
  const isWhole = Boolean(whole?.checked);
  if (all) {
    all.checked = here > 0 && here === picks.length;
    all.indeterminate = here > 0 && here < picks.length;
  }
  const text = elsewhere ? form.dataset.textElsewhere : form.dataset.textHere;
  const told = text.replace("{n}", String(ids.size)).replace("{m}", String(elsewhere));
  words.textContent = isWhole ? form.dataset.textWhole : ids.size ? told : resting;
  form.elements.picked.value = isWhole ? "" : [...ids].join(",");
  bar.classList.toggle("active", ids.size > 0 || isWhole);
  clear.hidden = !ids.size;
  for (const button of bar.querySelectorAll(".actions button")) button.disabled = !ids.size && !isWhole;
}

if (form) {
  const ids = remembered(form.dataset.list);
  for (const pick of picks) pick.checked = ids.has(pick.value);
  all?.addEventListener("change", () => {
    for (const pick of picks) pick.checked = all.checked;
    show();
  });
  clear.addEventListener("click", () => {
    remember(form.dataset.list, new Set());
    for (const pick of picks) pick.checked = false;
    if (whole) whole.checked = false;
    show();
  });
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show);
  show();
}
