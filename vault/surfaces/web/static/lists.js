// Selection in lists: all shown at once, and a count that is read aloud.

const form = document.getElementById("bulk");
const picks = form ? [...form.querySelectorAll("[data-pick]")] : [];
const all = form?.querySelector("[data-pick-all]");
const bar = document.getElementById("bulk-bar");
const words = form?.querySelector("[data-picked]");
const whole = form?.querySelector('[name="whole_list"]');
const resting = words?.textContent;

function show() {
  const count = picks.filter((pick) => pick.checked).length;
  if (all) {
    all.checked = count > 0 && count === picks.length;
    all.indeterminate = count > 0 && count < picks.length;
  }
  if (words) words.textContent = count ? form.dataset.countText.replace("{n}", String(count)) : resting;
  bar?.classList.toggle("active", count > 0 || Boolean(whole?.checked));
  for (const button of bar?.querySelectorAll("button") ?? []) button.disabled = !count && !whole?.checked;
}

all?.addEventListener("change", () => {
  for (const pick of picks) pick.checked = all.checked;
  show();
});
form?.addEventListener("change", show);
window.addEventListener("pageshow", show);
