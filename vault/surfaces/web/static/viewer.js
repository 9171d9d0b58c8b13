// The viewer: pages by key, zoom, width, turning the view, two pages side by side. Without it each thumbnail
// is a link that shows its page, and the record can be read all the same.

const stage = document.getElementById("stage");
const image = document.getElementById("page-image");
if (stage && image) start();

function start() {
  const viewer = document.getElementById("viewer");
  const strip = [...document.querySelectorAll("#thumbs a")];
  const place = document.getElementById("viewer-place");
  const zoomWords = document.getElementById("viewer-zoom");
  const tools = document.getElementById("viewer-tools");
  const second = image.cloneNode();
  second.removeAttribute("id");
  second.hidden = true;
  stage.append(second);
  tools.hidden = false;

  const view = { number: Number(viewer.dataset.current), zoom: 1, turn: 0, spread: false };

  function put(target, link) {
    if (!link) {
      target.hidden = true;
      return;
    }
    target.hidden = false;
    if (target.getAttribute("src") === link.dataset.image) return;
    target.width = Number(link.dataset.width);
    target.height = Number(link.dataset.height);
    target.src = link.dataset.image;
    target.alt = link.querySelector("img").alt;
  }

  function shape(target) {
    const share = view.spread ? 50 : 100;
    const isSideways = view.turn % 180 !== 0;
    target.style.width = `calc(${share * view.zoom}% - ${view.spread ? 6 : 0}px)`;
    target.style.transform = view.turn ? `rotate(${view.turn}deg)` : "";
    const width = target.clientWidth;
    const height = target.clientHeight;
    target.style.marginBlock = isSideways ? `${Math.max(0, (width - height) / 2)}px` : "";
  }

  function show() {
    if (strip.length) {
      put(image, strip[view.number - 1]);
      put(second, view.spread ? strip[view.number] : null);
      strip.forEach((link, index) => {
        if (index + 1 === view.number) {
          link.setAttribute("aria-current", "true");
          link.scrollIntoView({ block: "nearest" });
        } else link.removeAttribute("aria-current");
      });
      place.textContent = place.dataset.text.replace("{n}", view.number).replace("{total}", strip.length);
      history.replaceState(null, "", `?page=${view.number}`);
      for (const ahead of strip.slice(view.number, view.number + 2)) new Image().src = ahead.dataset.image;
    }
    shape(image);
    if (!second.hidden) shape(second);
    zoomWords.value = `${Math.round(view.zoom * 100)}%`;
    stage.classList.toggle("spread", view.spread && !second.hidden);
  }

  function turnTo(number) {
    if (number < 1 || number > strip.length || number === view.number) return;
    view.number = number;
    stage.scrollTop = 0;
    show();
  }

  const step = () => (view.spread ? 2 : 1);
  const acts = {
    in: () => (view.zoom = Math.min(5, view.zoom * 1.25)),
    out: () => (view.zoom = Math.max(0.25, view.zoom / 1.25)),
    width: () => (view.zoom = 1),
    rotate: () => (view.turn = (view.turn + 90) % 360),
    spread: () => {
      view.spread = !view.spread;
      view.zoom = 1;
      tools.querySelector('[data-tool="spread"]').setAttribute("aria-pressed", String(view.spread));
    },
  };
  const keys = { "+": "in", "=": "in", "-": "out", w: "width", r: "rotate", s: "spread" };

  const act = (name) => {
    acts[name]();
    show();
  };
  for (const button of tools.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => act(button.dataset.tool));
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
    else if (keys[event.key]) act(keys[event.key]);
    else return;
    event.preventDefault();
  });
  image.addEventListener("load", () => shape(image));
  second.addEventListener("load", () => shape(second));
}
