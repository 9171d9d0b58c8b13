// One file of the list as it is shown: name, bar, state, what the server said, and its one button.

const badges = document.getElementById("state-words")?.content; // none while intake is stopped

export class Row {
  constructor(upload, words, press) {
    this.words = words;
    this.name = upload.file.name;
    this.item = document.createElement("li");
    this.bar = document.createElement("progress");
    this.bar.max = upload.file.size || 1;
    this.bar.setAttribute("aria-label", this.name);
    this.state = made("span", "");
    this.button = made("button", "button plain small");
    this.button.type = "button";
    this.button.addEventListener("click", press);
    this.side = made("span", "upload-side", this.state, this.button);
    this.note = made("div", "upload-note");
    this.item.append(made("span", "upload-name", this.name), this.bar, this.side, this.note);
    this.draw(upload);
  }

  draw(upload) {
    const { words } = this;
    this.item.dataset.state = upload.state;
    const wanted = upload.isChecked ? "received" : upload.state;
    if (this.state.dataset.of !== wanted) {
      this.state.dataset.of = wanted;
      this.state.replaceChildren(badges.querySelector(`[data-of="${wanted}"]`).firstElementChild.cloneNode(true));
    }
    this.bar.value = upload.sent;
    this.bar.hidden = ["chosen", "accepted", "duplicate", "refused", "cancelled"].includes(upload.state);
    const labels = { chosen: words.removeLabel, failed: words.retryLabel, cancelled: words.retryLabel };
    const label = labels[upload.state] ?? words.cancelLabel;
    this.button.textContent = label;
    this.button.setAttribute("aria-label", `${label}: ${this.name}`);
    this.button.hidden = ["accepted", "duplicate", "refused"].includes(upload.state);
  }

  // `told` are pairs of a message and what can be done; nothing clears the note.
  say(told, tone = "") {
    this.note.replaceChildren(
      ...told.flatMap(([message, hint]) => [
        message ? made("p", `reason ${tone}`, message) : "",
        hint ? made("p", "reason muted", hint) : "",
      ]),
    );
  }

  link(address) {
    const link = made("a", "", this.words.openLabel);
    link.href = address;
    link.setAttribute("aria-label", `${this.words.openLabel}: ${this.name}`);
    this.side.append(link);
  }
}

export function made(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}
