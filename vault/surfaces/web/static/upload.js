// Sending scans: each file goes by itself, as it is, with a key of its own, so that trying again never doubles it.
// What is shown of a file is what the server answered; a lost connection is tried again with growing pauses.

const AT_ONCE = 3;
const PIECE_BYTES = 32 * 1024 * 1024; // a larger file goes in pieces: after a cut it goes on where it was
const PAUSES_MS = [1000, 2000, 5000, 10000, 30000];

const form = document.getElementById("intake-form");
if (form) start();

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function start() {
  const words = form.dataset;
  const input = document.getElementById("f-files");
  const drop = document.getElementById("drop");
  const list = document.getElementById("uploads");
  const box = document.getElementById("upload-list");
  const total = document.getElementById("upload-total");
  const summary = document.getElementById("upload-summary");
  const uploads = [];
  let running = 0;
  let batch = null;

  input.required = false;
  document.getElementById("send").hidden = true;

  // The batch is opened once: files that start together share one promise, and the server gives a sender's
  // open batch of the same name back. Without a name there is no batch.
  async function openBatch() {
    const value = (name) => form.elements[name]?.value?.trim() ?? "";
    if (value("batch_id")) return { id: value("batch_id"), href: words.batchHref };
    const announced = value("sheets_announced");
    if (!value("batch_name")) return null;
    const response = await fetch(words.batches, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRF-Token": words.token,
      },
      body: JSON.stringify({
        name: value("batch_name"),
        sheets_announced: announced ? Number(announced) : null,
        unit_code: value("unit_code") || null,
      }),
    });
    if (!response.ok) throw new Problem(await said(response));
    const opened = await response.json();
    const link = document.createElement("a");
    link.href = `/batches/${opened.id}`;
    link.textContent = opened.name ?? value("batch_name");
    document.getElementById("upload-batch").replaceChildren(link);
    return opened;
  }

  function metadata(upload) {
    const fields = { file_name: upload.file.name, class_code: form.elements.class_code.value };
    if (batch) fields.batch_id = batch.id;
    for (const name of ["unit_code", "business_type", "business_number", "customer_name", "handler", "occurred_date"]) {
      const value = form.elements[name]?.value?.trim();
      if (value) fields[name] = value;
    }
    return base64url(JSON.stringify(fields));
  }

  function add(files) {
    if (!form.elements.class_code.value) {
      const first = form.querySelector('[name="class_code"]');
      first.setCustomValidity(words.classMissing);
      first.reportValidity();
      first.setCustomValidity("");
      return;
    }
    for (const file of files) {
      const upload = { file, key: crypto.randomUUID(), state: "waiting", sent: 0, tries: 0, row: null, request: null };
      upload.row = row(upload);
      list.append(upload.row.item);
      uploads.push(upload);
      if (file.size === 0) end(upload, "refused", words.empty);
      else if (file.size > Number(words.bytesMax)) end(upload, "refused", words.tooBig);
    }
    box.hidden = false;
    pump();
  }

  function row(upload) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.className = "upload-name";
    name.textContent = upload.file.name;
    const bar = document.createElement("progress");
    bar.max = upload.file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", upload.file.name);
    const side = document.createElement("span");
    side.className = "upload-side";
    const state = document.createElement("span");
    state.className = "state";
    state.textContent = words.waiting;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button plain small";
    button.textContent = words.cancelLabel;
    button.setAttribute("aria-label", `${words.cancelLabel}: ${upload.file.name}`);
    button.addEventListener("click", () => press(upload));
    side.append(state, button);
    const note = document.createElement("span");
    note.className = "upload-note";
    note.hidden = true;
    item.append(name, bar, side, note);
    return { item, bar, state, button, note, side };
  }

  function press(upload) {
    if (["failed", "cancelled"].includes(upload.state)) {
      Object.assign(upload, { state: "waiting", tries: 0, sent: 0 });
      draw(upload, "", words.waiting, "");
      pump();
    } else {
      const request = upload.request;
      upload.state = "cancelled";
      draw(upload, "", words.cancelled, "");
      request?.abort();
      count();
    }
  }

  function draw(upload, tone, text, note) {
    const { state, button, note: line, bar } = upload.row;
    const canRetry = ["failed", "cancelled"].includes(upload.state);
    state.className = `state ${tone}`;
    state.textContent = text;
    line.textContent = note;
    line.hidden = !note;
    bar.value = upload.sent;
    const label = canRetry ? words.retryLabel : words.cancelLabel;
    button.textContent = label;
    button.setAttribute("aria-label", `${label}: ${upload.file.name}`);
    button.hidden = ["accepted", "duplicate", "refused"].includes(upload.state);
  }

  function end(upload, state, note, answer) {
    upload.state = state;
    upload.sent = upload.file.size || 1;
    const tone = { accepted: "good", duplicate: "", refused: "bad", failed: "bad" }[state];
    draw(upload, tone, state === "failed" ? words.gaveUp : words[state], note ?? "");
    if (answer?.record_id) {
      const link = document.createElement("a");
      link.href = `/records/${answer.record_id}`;
      link.textContent = words.openLabel;
      link.setAttribute("aria-label", `${words.openLabel}: ${upload.file.name}`);
      upload.row.side.append(link);
    }
    count();
  }

  function count() {
    const by = (state) => uploads.filter((upload) => upload.state === state).length;
    const ended = uploads.filter((upload) => !["waiting", "sending"].includes(upload.state)).length;
    total.max = uploads.reduce((sum, upload) => sum + (upload.file.size || 1), 0) || 1;
    total.value = uploads.reduce((sum, upload) => sum + upload.sent, 0);
    summary.textContent = words.summary
      .replace("{done}", ended)
      .replace("{total}", uploads.length)
      .replace("{accepted}", by("accepted"))
      .replace("{duplicate}", by("duplicate"))
      .replace("{refused}", by("refused"))
      .replace("{failed}", by("failed") + by("cancelled"));
  }

  function pump() {
    count();
    while (running < AT_ONCE) {
      const upload = uploads.find((one) => one.state === "waiting");
      if (!upload) return;
      upload.state = "sending";
      running += 1;
      send(upload).finally(() => {
        running -= 1;
        pump();
      });
    }
  }

  async function send(upload) {
    for (;;) {
      if (upload.state === "cancelled") return;
      draw(upload, "info", words.sending, "");
      try {
        batch = await (opening ??= openBatch());
        isOpen = true;
        const answer = await post(upload);
        end(upload, answer.status, (answer.findings ?? []).map((finding) => finding.message).join(" "), answer);
        return;
      } catch (error) {
        if (!isOpen) opening = null;
        if (upload.state === "cancelled") return;
        if (error instanceof Problem && !error.isPassing) {
          end(upload, error.isRefusal ? "refused" : "failed", error.message);
          return;
        }
        if (upload.tries >= PAUSES_MS.length) {
          end(upload, "failed", error.message);
          return;
        }
        draw(upload, "warn", words.failed, "");
        await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[upload.tries]));
        upload.tries += 1;
        upload.sent = 0;
      }
    }
  }
  let opening = null;
  let isOpen = false;

  async function post(upload) {
    const size = upload.file.size;
    if (size <= PIECE_BYTES) return ask(upload, upload.file, 0, null);
    let answer = await ask(upload, null, 0, `bytes */${size}`);
    while (answer.status === "receiving") {
      const start = answer.received_bytes;
      const stop = Math.min(size, start + PIECE_BYTES);
      answer = await ask(upload, upload.file.slice(start, stop), start, `bytes ${start}-${stop - 1}/${size}`);
      upload.tries = 0; // it gets on: patience begins anew
    }
    return answer;
  }

  // XMLHttpRequest, because fetch does not tell how much of a body has been sent.
  function ask(upload, body, start, range) {
    return new Promise((resolve, reject) => {
      if (upload.state === "cancelled") return reject(new Error(""));
      const request = new XMLHttpRequest();
      upload.request = request;
      request.open("POST", words.items);
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("Content-Type", upload.file.type || "application/octet-stream");
      request.setRequestHeader("Idempotency-Key", upload.key);
      request.setRequestHeader("Slipvault-Metadata", metadata(upload));
      request.setRequestHeader("X-CSRF-Token", words.token);
      if (range) request.setRequestHeader("Content-Range", range);
      request.upload.addEventListener("progress", (event) => {
        upload.sent = Math.min(start + event.loaded, upload.file.size);
        upload.row.bar.value = upload.sent;
        if (upload.sent === upload.file.size) upload.row.state.textContent = words.checking;
        count();
      });
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300 && request.response) resolve(request.response);
        else reject(new Problem({ status: request.status, ...(request.response ?? {}) }));
      });
      request.addEventListener("error", () => reject(new Error("")));
      request.addEventListener("timeout", () => reject(new Error("")));
      request.addEventListener("abort", () => reject(new Error("")));
      request.send(body);
    });
  }

  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    add([...event.dataTransfer.files]);
  });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("beforeunload", (event) => {
    if (uploads.some((upload) => ["waiting", "sending"].includes(upload.state))) event.preventDefault();
  });
}

async function said(response) {
  try {
    return { status: response.status, ...(await response.json()) };
  } catch {
    return { status: response.status };
  }
}

const PASSING = ["piece-out-of-place", "body-cut-off", "digest-mismatch"];

// A problem+json answer (RFC 9457). 408, 425, 429 and 5xx may pass; a refusal of the file itself is 422 or 415.
class Problem extends Error {
  constructor(answer) {
    const reasons = (answer.findings ?? []).filter((finding) => finding.severity === "refuse");
    const words = reasons.length
      ? reasons.flatMap((finding) => [finding.message, finding.hint])
      : [answer.detail ?? answer.title, answer.hint];
    super(words.filter(Boolean).join(" ") || `HTTP ${answer.status}`);
    this.isPassing = [408, 425, 429].includes(answer.status) || answer.status >= 500 || PASSING.includes(answer.code);
    this.isRefusal = [413, 415, 422].includes(answer.status);
  }
}
