// Sending scans: files are chosen, described, and sent when the person says so; each goes by itself, as it is, with a
// key of its own, so that trying again never doubles it. What is shown of a file is what the server answered; a lost
// connection is tried again with growing pauses.

import { Memory } from "./upload_memory.js";
import { Row } from "./upload_row.js";
import { balanceOf, freshToken, openBatch, Problem, sendFile } from "./upload_wire.js";

const AT_ONCE = 3;
const PAUSES_MS = [1000, 2000, 5000, 10000, 30000];
const BALANCE_EVERY_MS = 2000;
const DESCRIPTION = ["unit_code", "business_type", "business_number", "customer_name", "handler", "occurred_date"];
const OF_ONE_CUSTOMER = ["business_number", "customer_name"];
const ENDED = new Set(["accepted", "duplicate", "refused", "failed", "cancelled"]);

const form = document.getElementById("intake-form");
if (form) start();

function start() {
  const words = form.dataset;
  const by = (id) => document.getElementById(id);
  const input = by("f-files");
  const drop = by("drop");
  const memory = new Memory(words.person);
  const uploads = [];
  let token = words.token;
  let running = 0;
  let isPaused = false;
  let pile = null; // the newest that was sent
  let began = 0;

  input.required = false;

  const value = (name) => form.elements[name]?.value?.trim() ?? "";

  // What the form says at the moment of sending goes with every file of the pile, also when one is tried again later.
  function newPile() {
    const told = { class_code: value("class_code") };
    for (const name of DESCRIPTION) if (value(name)) told[name] = value(name);
    const announced = value("sheets_announced");
    const batchTold = {
      name: value("batch_name"),
      sheets_announced: announced ? Number(announced) : null,
      unit_code: value("unit_code") || null,
    };
    const known = value("batch_id") ? { id: value("batch_id") } : null;
    return { told, batchTold, batch: known, opening: known ? Promise.resolve(known) : null };
  }

  // The batch is opened once: files that start together share one promise, and the server gives a sender's
  // open batch of the same name back. Without a name there is no batch.
  async function batchOf(told) {
    if (!told.name) return null;
    const opened = await openBatch(words.batches, token, told);
    const link = document.createElement("a");
    link.href = `/batches/${opened.id}`;
    link.textContent = opened.name ?? told.name;
    by("upload-batch").replaceChildren(link);
    return opened;
  }

  function metadata({ file, pile: { told, batch } }) {
    return { ...told, file_name: file.name, ...(batch && { batch_id: batch.id }) };
  }

  function add(files) {
    if (!files.length) return;
    input.setCustomValidity("");
    for (const file of files) {
      const key = memory.keyOf(file) ?? crypto.randomUUID();
      if (uploads.some((upload) => upload.key === key)) continue; // chosen twice
      const upload = { file, key, state: "chosen", sent: 0, tries: 0, isChecked: false, request: null, turn: 0 };
      upload.row = new Row(upload, words, () => press(upload));
      by("uploads").append(upload.row.item);
      uploads.push(upload);
      if (file.size === 0) end(upload, "refused", [[words.empty]]);
      else if (file.size > Number(words.bytesMax)) end(upload, "refused", [[words.tooBig]]);
      else memory.keep(file, key, {});
    }
    by("unsent").hidden = true;
    count();
  }

  // All that were chosen go together, with what the form says now.
  function sendChosen() {
    const chosen = uploads.filter((upload) => upload.state === "chosen");
    if (!chosen.length) {
      input.setCustomValidity(words.filesMissing);
      input.reportValidity();
      return;
    }
    pile = newPile();
    for (const upload of chosen) {
      Object.assign(upload, { state: "waiting", tries: 0, pile });
      memory.keep(upload.file, upload.key, { batch: pile.batchTold.name, classCode: pile.told.class_code });
      upload.row.say([]);
      upload.row.draw(upload);
    }
    began ||= performance.now();
    pump();
  }

  function remove(upload) {
    uploads.splice(uploads.indexOf(upload), 1);
    memory.drop(upload.file);
    upload.row.item.remove();
    (uploads.at(-1)?.row.button ?? input).focus();
  }

  function press(upload) {
    if (upload.state === "chosen") remove(upload);
    else if (["failed", "cancelled"].includes(upload.state)) again(upload);
    else cancel(upload);
    pump();
  }

  function again(upload) {
    Object.assign(upload, { state: "waiting", tries: 0, sent: 0, isChecked: false });
    memory.keep(upload.file, upload.key, {});
    upload.row.say([]);
    upload.row.draw(upload);
  }

  function cancel(upload) {
    end(upload, "cancelled", upload.state === "sending" ? [[words.cancelledText]] : []);
    upload.request?.abort();
  }

  function end(upload, state, told, answer) {
    Object.assign(upload, { state, isChecked: false, sent: upload.file.size || 1 });
    upload.row.draw(upload);
    upload.row.say(told, { refused: "bad-text", failed: "bad-text", accepted: "warn-text" }[state]);
    if (answer?.record_id) upload.row.link(`/records/${answer.record_id}`);
    if (state !== "failed") memory.drop(upload.file);
    if (upload.pile) forget(upload.pile);
    count();
  }

  // Once the whole pile has come in, the next one is most likely of another customer.
  function forget(of) {
    const isIn = (upload) => upload.pile !== of || ["accepted", "duplicate"].includes(upload.state);
    if (!uploads.every(isIn)) return;
    for (const name of OF_ONE_CUSTOMER) {
      if (of.told[name] && value(name) === of.told[name]) form.elements[name].value = "";
    }
  }

  function pump() {
    count();
    while (!isPaused && running < AT_ONCE) {
      const upload = uploads.find((one) => one.state === "waiting");
      if (!upload) return;
      upload.state = "sending";
      upload.row.draw(upload);
      running += 1;
      send(upload).finally(() => {
        running -= 1;
        pump();
      });
    }
  }

  // A turn ends with an outcome, or when the file rests: paused, cancelled, signed out. The next one is another turn.
  async function send(upload) {
    const turn = (upload.turn += 1);
    const isMine = () => upload.turn === turn && upload.state === "sending";
    while (isMine()) {
      try {
        upload.pile.opening ??= batchOf(upload.pile.batchTold);
        upload.pile.batch = await upload.pile.opening;
        if (!isMine()) return;
        const answer = await sendFile(words.items, token, upload, metadata(upload), isMine, (sent) => {
          Object.assign(upload, { sent, isChecked: sent === upload.file.size });
          upload.row.draw(upload);
          count();
        });
        if (!isMine()) return;
        end(upload, answer.status, (answer.findings ?? []).map((finding) => [finding.message, finding.hint]), answer);
      } catch (error) {
        if (!upload.pile.batch) upload.pile.opening = null;
        if (isMine()) await afterFailure(upload, error);
      }
    }
  }

  // What passes is tried again after a pause; what does not is shown as what became of the file.
  async function afterFailure(upload, error) {
    Object.assign(upload, { sent: 0, isChecked: false });
    if (error instanceof Problem && error.isSignedOut) return pause(words.signedOut);
    if (error instanceof Problem && error.isOfDescription) {
      rest(upload, "chosen"); // not the file's fault: it waits until what is said of it is corrected
      return upload.row.say(error.told, "bad-text");
    }
    if (error instanceof Problem && !error.isPassing) {
      return end(upload, error.isRefusal ? "refused" : "failed", error.told);
    }
    if (upload.tries >= PAUSES_MS.length) return end(upload, "failed", [[words.gaveUp]]);
    upload.row.say([[words.retrying]], "warn-text");
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[upload.tries]));
    upload.tries += 1;
    if (!ENDED.has(upload.state)) upload.row.say([]);
  }

  function rest(upload, state = "waiting") {
    Object.assign(upload, { state, sent: 0, isChecked: false });
    upload.row.draw(upload);
  }

  function pause(why = "") {
    isPaused = true;
    for (const upload of uploads.filter((one) => one.state === "sending")) {
      rest(upload);
      upload.request?.abort();
    }
    by("pause").textContent = words.goOnLabel;
    by("paused").hidden = false;
    by("paused-why").textContent = why || words.pausedText;
    by("sign-in-again").hidden = !why;
    count();
  }

  async function goOn() {
    if (!by("sign-in-again").hidden) {
      const fresh = await freshToken();
      if (!fresh) return;
      token = fresh;
    }
    isPaused = false;
    by("pause").textContent = words.pauseLabel;
    by("paused").hidden = true;
    pump();
  }

  function count() {
    const of = (...states) => uploads.filter((upload) => states.includes(upload.state));
    const chosen = of("chosen").length;
    const going = uploads.filter((upload) => upload.state !== "chosen");
    const bytes = going.reduce((sum, upload) => sum + (upload.file.size || 1), 0);
    const sent = going.reduce((sum, upload) => sum + upload.sent, 0);
    const ended = going.filter((upload) => ENDED.has(upload.state)).length;
    const failed = of("failed", "cancelled").length;
    by("upload-total").max = bytes || 1;
    by("upload-total").value = sent;
    by("upload-list").hidden = uploads.length === 0;
    by("chosen").hidden = chosen === 0;
    by("chosen").textContent = words.chosenText.replace("{n}", chosen);
    by("send-label").textContent = chosen ? words.sendLabel.replace("{n}", chosen) : words.sendNone;
    by("upload-total").hidden = by("upload-progress").hidden = going.length === 0;
    by("upload-summary").textContent = words.summary
      .replace("{done}", ended)
      .replace("{total}", going.length)
      .replace("{accepted}", of("accepted").length)
      .replace("{duplicate}", of("duplicate").length)
      .replace("{refused}", of("refused").length)
      .replace("{failed}", failed);
    const isBusy = ended < going.length;
    by("upload-pace").textContent = isBusy && !isPaused ? pace(sent, bytes) : "";
    by("pause").hidden = by("cancel-all").hidden = !isBusy;
    by("retry-all").hidden = failed === 0;
    by("retry-all").textContent = words.retryAllLabel.replace("{n}", failed);
    by("upload-list").classList.toggle("done", !isBusy && going.length > 0);
  }

  // How fast and how long still, once there is enough to judge by.
  function pace(sent, bytes) {
    const seconds = (performance.now() - began) / 1000;
    if (seconds < 3 || !sent) return "";
    const rate = sent / seconds;
    const left = Math.ceil((bytes - sent) / rate);
    const unit = left < 90 ? words.secondsLeft.replace("{n}", left) : words.minutesLeft.replace("{n}", Math.ceil(left / 60));
    return `${(rate / 1e6).toFixed(1)} MB/s · ${unit}`;
  }

  // Followed while files are sent, and once more when the last has ended.
  async function followBalance() {
    let told = -1;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, BALANCE_EVERY_MS));
      const going = uploads.filter((upload) => upload.state !== "chosen");
      const ended = going.filter((upload) => ENDED.has(upload.state)).length;
      if (!pile?.batch || document.hidden || (ended === told && ended === going.length)) continue;
      told = ended;
      await refreshBalance();
    }
  }

  async function refreshBalance() {
    const told = await balanceOf(pile.batch.id).catch(() => null);
    if (told?.balance) showBalance(told);
  }

  function showBalance({ balance, text }) {
    by("live-balance").hidden = false;
    for (const [name, count] of Object.entries(balance)) by(`balance-${name}`).textContent = count ?? "–";
    const settled = balance.accepted + balance.duplicates + balance.refused;
    const isEven = { announced: [null, balance.received].includes(balance.announced), received: balance.received === settled };
    for (const [name, even] of Object.entries(isEven)) by(`balance-${name}-sign`).textContent = even ? "=" : "≠";
    if (by("balance-text").textContent !== text) by("balance-text").textContent = text;
  }

  function tellUnsent() {
    const { names } = memory;
    if (!names.length) return;
    by("unsent").hidden = false;
    by("unsent-count").textContent = words.unsentCount.replace("{n}", names.length);
    by("unsent-names").replaceChildren(
      ...names.slice(0, 20).map((name) => {
        const item = document.createElement("li");
        item.textContent = name;
        return item;
      }),
    );
    by("unsent-forget").addEventListener("click", () => {
      memory.forget();
      by("unsent").hidden = true;
    });
    by("unsent-choose").addEventListener("click", () => {
      if (form.elements.batch_name && memory.held.batch) form.elements.batch_name.value = memory.held.batch;
      if (!value("class_code") && memory.held.classCode) form.elements.class_code.value = memory.held.classCode;
      input.click();
    });
  }

  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
  });
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    add(await filesOf(event.dataTransfer));
  });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  by("pause").addEventListener("click", () => (isPaused ? goOn() : pause()));
  by("cancel-all").addEventListener("click", () => {
    for (const upload of uploads) if (upload.state !== "chosen" && !ENDED.has(upload.state)) cancel(upload);
  });
  by("retry-all").addEventListener("click", () => {
    for (const upload of uploads) if (["failed", "cancelled"].includes(upload.state)) again(upload);
    pump();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendChosen();
  });
  // A field that folds away could not be pointed at.
  form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
  window.addEventListener("beforeunload", (event) => {
    if (uploads.some((upload) => !ENDED.has(upload.state))) event.preventDefault();
  });
  tellUnsent();
  followBalance();
}

// Files and whole folders that were dropped, in the order of their names.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

async function collect(entry, found) {
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const inner of part) if (!inner.name.startsWith(".")) await collect(inner, found);
  }
}
