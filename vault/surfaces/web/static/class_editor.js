// The form of a class: the example follows what is typed, and the rules can be searched. Without this script a button asks
// for the example, and all rules stand in the list.

const WAIT_MS = 300;
const form = document.getElementById("class-form");
const example = document.getElementById("example");
const search = document.getElementById("rule-search");
let timer = 0;
let asked = null;

async function ask() {
  asked?.abort();
  const mine = (asked = new AbortController());
  example.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(form);
    const response = await fetch(form.dataset.example, { method: "POST", body, signal: mine.signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const told = page.getElementById("example");
    if (!told) throw new Error(String(response.status));
    example.replaceChildren(...document.importNode(told, true).childNodes);
    showErrors(page);
  } catch (error) {
    if (error.name === "AbortError") return;
    example.textContent = example.dataset.textFailed;
  }
  if (mine === asked) example.removeAttribute("aria-busy");
}

// What is wrong stands beside its field as soon as it is known, without moving the cursor; what nobody touched stays quiet.
const touched = new Set();
function showErrors(page) {
  for (const place of form.querySelectorAll(".field")) {
    const key = (place.id || place.querySelector("[id^=f-]")?.id || "").replace(/^f-/, "");
    const found = page.getElementById(`e-${key}`);
    place.querySelector(":scope > .error")?.remove();
    place.classList.toggle("wrong", Boolean(found) && isTouched(place));
    if (found && isTouched(place)) place.insertBefore(document.importNode(found, true), place.querySelector("input, select, .numbers-row"));
  }
}

function isTouched(place) {
  return [...place.querySelectorAll("input, select")].some((one) => touched.has(one.name));
}

function changed(event) {
  if (event.target === search) return;
  touched.add(event.target.name);
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT_MS);
}

function narrow() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const option of document.querySelectorAll("#rule-options [data-words]")) {
    const fits = words.every((word) => option.dataset.words.includes(word));
    option.hidden = !fits;
    count += fits;
  }
  const told = document.getElementById("rule-count");
  told.textContent = told.dataset.text.replace("{n}", String(count));
}

if (form && example) {
  form.addEventListener("input", changed);
  document.getElementById("f-example_date")?.addEventListener("input", changed);
  for (const button of document.querySelectorAll("[data-try]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      ask();
    });
  }
}
if (search) {
  search.closest(".rule-search").hidden = false;
  search.addEventListener("input", narrow);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // the form is not what was meant
  });
  narrow();
}
