// Suggestions below the search box (ARIA combobox with a listbox). What is typed goes in the body of a request, never
// into an address. Without this script, or before it answers, Enter sends the words as they are.

const form = document.querySelector("[data-suggest]");
const input = document.getElementById("search");
const list = document.getElementById("suggestions");
const count = document.getElementById("suggestions-count");
const WAIT_MS = 120;
let chosen = -1;
let timer = 0;
let asked = 0;

function close() {
  list.hidden = true;
  chosen = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(place) {
  const options = [...list.children];
  if (!options.length) return;
  chosen = (place + options.length) % options.length;
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
  input.setAttribute("aria-activedescendant", options[chosen].id);
  options[chosen].scrollIntoView({ block: "nearest" });
}

function option(told, at) {
  const made = document.createElement("li");
  made.id = `suggestion-${at}`;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  made.dataset.href = told.href;
  for (const [name, text] of [["what", told.what], ["label", told.label], ["note", told.note]]) {
    const part = document.createElement("span");
    part.className = `suggestion-${name}`;
    part.textContent = text;
    made.append(part);
  }
  made.addEventListener("mousedown", (event) => {
    event.preventDefault();
    location.assign(told.href);
  });
  return made;
}

async function ask() {
  const mine = (asked += 1);
  const text = input.value.trim();
  if (text.length < 2) return close();
  let told = [];
  try {
    const answer = await fetch(form.dataset.suggest, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) told = (await answer.json()).suggestions;
  } catch {
    return close();
  }
  if (mine !== asked || document.activeElement !== input) return;
  list.replaceChildren(...told.map(option));
  count.textContent = told.length ? count.dataset.text.replace("{n}", String(told.length)) : form.dataset.textNone;
  if (!told.length) return close();
  list.hidden = false;
  chosen = -1;
  input.setAttribute("aria-expanded", "true");
}

if (form && input && list) {
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "suggestions");
  input.setAttribute("aria-expanded", "false");
  input.addEventListener("input", (event) => {
    if (event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) return;
      event.preventDefault();
      choose(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0 && !list.hidden) {
      event.preventDefault();
      location.assign(list.children[chosen].dataset.href);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
}
