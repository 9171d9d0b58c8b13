// The viewer: pages by key, zoom, fit, turning the view, two pages side by side. Without it each thumbnail is a
// link that shows its page, and the record can be read all the same.
//
// Page images carry the reader's name and the time, so no cache keeps them: they are held here, as elements, for as
// long as the page is open, and the neighbours of the page that is looked at are fetched ahead.

const HELD_MAX = 12;
const MEMORY = "slipvault-view"; // how the reader likes to look: kept while the tab is open, from record to record

const stage = document.getElementById("stage");
const first = document.getElementById("page-image");
if (stage && first) start();

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY)) ?? {};
  } catch {
    return {};
  }
}

function start() {
  const viewer = document.getElementById("viewer");
  const strip = [...document.querySelectorAll("#thumbs a")];
  const place = document.getElementById("viewer-place");
  const zoomWords = document.getElementById("viewer-zoom");
  const tools = document.getElementById("viewer-tools");
  const alone = document.getElementById("image-alone");
  const title = first.alt;
  const held = new Map();
  const liked = remembered();
  const view = {
    number: Number(viewer.dataset.current),
    fit: liked.fit === "page" ? "page" : "width",
    zoom: 1,
    turn: 0,
    spread: Boolean(liked.spread) && strip.length > 1,
  };
  held.set(view.number, first);
  tools.hidden = false;

  const note = document.createElement("p");
  note.className = "stage-note";
  note.role = "alert";
  note.hidden = true;
  note.textContent = viewer.dataset.failed;

  // One element for each page, made when it is first wanted.
  function image(number) {
    const known = held.get(number);
    if (known) {
      held.delete(number);
      held.set(number, known);
      return known;
    }
    const link = strip[number - 1];
    const made = new Image(Number(link.dataset.width), Number(link.dataset.height));
    made.dataset.state = "loading";
    made.className = "loading";
    made.alt = link.querySelector("img").alt;
    made.addEventListener("load", () => {
      made.dataset.state = "ready";
      made.className = "";
      made.width = made.naturalWidth;
      made.height = made.naturalHeight;
      if (made.isConnected) show();
    });
    made.addEventListener("error", () => {
      made.dataset.state = "failed";
      if (made.isConnected) show();
    });
    made.src = link.dataset.image;
    held.set(number, made);
    if (held.size > HELD_MAX) held.delete([...held.keys()].find((key) => !held.get(key).isConnected) ?? -1);
    return made;
  }

  function shown() {
    if (!strip.length) return [first];
    const numbers = view.spread && view.number < strip.length ? [view.number, view.number + 1] : [view.number];
    return numbers.map(image);
  }

  function shape(target, count) {
    const isSideways = view.turn % 180 !== 0;
    const gaps = 24 + (count - 1) * 12;
    const ratio = (target.naturalHeight || target.height) / (target.naturalWidth || target.width) || 1.414;
    const room = { width: (stage.clientWidth - gaps) / count, height: stage.clientHeight - 24 };
    const tall = isSideways ? 1 / ratio : ratio; // height over width as it is seen
    let wide = room.width;
    if (view.fit === "page") wide = Math.min(wide, room.height / tall);
    wide *= view.zoom;
    const width = isSideways ? wide * tall : wide;
    const height = width * ratio;
    target.style.width = `${Math.round(width)}px`;
    target.style.height = `${Math.round(height)}px`;
    target.style.transform = view.turn ? `rotate(${view.turn}deg)` : "";
    const lean = isSideways ? (width - height) / 2 : 0;
    target.style.marginBlock = isSideways ? `${Math.round(lean)}px` : "";
    target.style.marginInline = isSideways ? `${Math.round(-lean)}px` : "";
  }

  function show() {
    const images = shown();
    if (images.some((one, index) => stage.children[index] !== one) || stage.children.length !== images.length + 1) {
      stage.replaceChildren(...images, note);
    }
    note.hidden = !images.some((one) => one.dataset.state === "failed");
    images[0].id = "page-image";
    for (const other of held.values()) if (other !== images[0] && other.id) other.removeAttribute("id");
    images.forEach((one) => shape(one, images.length));
    stage.classList.toggle("spread", images.length > 1);
    zoomWords.value = `${Math.round(view.zoom * 100)}%`;
    press("width", view.fit === "width" && view.zoom === 1);
    press("page", view.fit === "page" && view.zoom === 1);
    press("spread", view.spread);
    if (!strip.length) return;
    place.textContent = place.dataset.text.replace("{n}", view.number).replace("{total}", strip.length);
    alone.href = strip[view.number - 1].dataset.image;
    strip.forEach((link, index) => {
      if (index + 1 === view.number) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    if (images.every((one) => one.dataset.state !== "loading")) fetchAhead();
  }

  // The pages behind and before, once what is looked at is there: they must not compete with it.
  function fetchAhead() {
    const last = view.number + (view.spread ? 1 : 0);
    for (const number of [last + 1, last + 2, view.number - 1]) {
      if (number >= 1 && number <= strip.length) image(number);
    }
  }

  function press(name, isOn) {
    tools.querySelector(`[data-tool="${name}"]`)?.setAttribute("aria-pressed", String(isOn));
  }

  function turnTo(number) {
    const wanted = Math.min(Math.max(1, number), strip.length);
    if (!strip.length || (wanted === view.number && !stage.querySelector('[data-state="failed"]'))) return;
    view.number = wanted;
    // What failed is asked for anew, but only when somebody turns to it: a dead server is not asked in a loop.
    for (const [key, one] of held) if (one.dataset.state === "failed") held.delete(key);
    stage.scrollTo(0, 0);
    show();
    scrollStrip(strip[view.number - 1]);
    const told = new URLSearchParams(location.search);
    told.delete("done");
    told.set("page", view.number);
    history.replaceState(null, "", `?${told}`);
  }

  // Only the strip moves: scrollIntoView would drag the whole page along on a phone.
  function scrollStrip(link) {
    const box = document.getElementById("thumbs");
    const item = link.parentElement;
    box.scrollTo({
      top: item.offsetTop - (box.clientHeight - item.clientHeight) / 2,
      left: item.offsetLeft - (box.clientWidth - item.clientWidth) / 2,
    });
  }

  function zoomBy(factor) {
    const before = { x: stage.scrollLeft + stage.clientWidth / 2, y: stage.scrollTop + stage.clientHeight / 2 };
    const old = view.zoom;
    view.zoom = Math.min(6, Math.max(0.25, view.zoom * factor));
    show();
    const grown = view.zoom / old;
    stage.scrollTo(before.x * grown - stage.clientWidth / 2, before.y * grown - stage.clientHeight / 2);
  }

  function fit(how) {
    Object.assign(view, { fit: how, zoom: 1 });
    remember();
    show();
  }

  function remember() {
    try {
      sessionStorage.setItem(MEMORY, JSON.stringify({ fit: view.fit, spread: view.spread }));
    } catch {
      // A browser that keeps nothing still shows pages.
    }
  }

  const acts = {
    in: () => zoomBy(1.25),
    out: () => zoomBy(1 / 1.25),
    width: () => fit("width"),
    page: () => fit("page"),
    rotate: () => {
      view.turn = (view.turn + 90) % 360;
      show();
    },
    spread: () => {
      if (strip.length < 2) return;
      Object.assign(view, { spread: !view.spread, zoom: 1 });
      remember();
      show();
    },
  };
  const keys = { "+": "in", "=": "in", "-": "out", w: "width", h: "page", r: "rotate", s: "spread" };
  const step = () => (view.spread ? 2 : 1);

  for (const button of tools.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => acts[button.dataset.tool]());
  }
  if (strip.length < 2) tools.querySelector('[data-tool="spread"]').hidden = true;
  strip.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      turnTo(index + 1);
    }),
  );
  const onPlace = (id, by) =>
    document.getElementById(id).addEventListener("click", (event) => {
      event.preventDefault();
      turnTo(view.number + by * step());
    });
  onPlace("page-previous", -1);
  onPlace("page-next", 1);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "ArrowRight" || event.key === "PageDown") turnTo(view.number + step());
    else if (event.key === "ArrowLeft" || event.key === "PageUp") turnTo(view.number - step());
    else if (event.key === "Home") turnTo(1);
    else if (event.key === "End") turnTo(strip.length);
    else if (keys[event.key]) acts[keys[event.key]]();
    else return;
    event.preventDefault();
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    },
    { passive: false },
  );

  // Dragging moves a page that is larger than the stage; fingers scroll it by themselves.
  stage.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const from = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
    const move = (moved) => stage.scrollTo(from.x - moved.clientX, from.y - moved.clientY);
    stage.classList.add("panning");
    stage.addEventListener("pointermove", move);
    const end = () => {
      stage.classList.remove("panning");
      stage.removeEventListener("pointermove", move);
    };
    window.addEventListener("pointerup", end, { once: true });
  });
  stage.addEventListener("dragstart", (event) => event.preventDefault());

  first.alt = title;
  if (!first.complete) first.dataset.state = "loading";
  first.addEventListener("load", () => {
    first.dataset.state = "ready";
    show();
  });
  first.addEventListener("error", () => {
    first.dataset.state = "failed";
    show();
  });
  new ResizeObserver(() => shown().forEach((one, _, all) => shape(one, all.length))).observe(stage);
  show();
}
