// What goes over the wire: opening a batch, sending one file, asking for the batch's balance, a new token after signing in.

const PIECE_BYTES = 32 * 1024 * 1024;
// What was said of the file is wrong, not the file.
const OF_DESCRIPTION = ["bad-field-value", "bad-request", "invalid-input", "unknown-class", "batch-closed"];
const PASSING = ["piece-out-of-place", "body-cut-off", "digest-mismatch"];

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// A problem+json answer (RFC 9457). 408, 425, 429 and 5xx may pass; a refusal of the file itself is 413, 415 or 422.
export class Problem extends Error {
  constructor(answer) {
    super(answer.detail ?? answer.title ?? `HTTP ${answer.status}`);
    const reasons = (answer.findings ?? []).filter((finding) => finding.severity === "refuse");
    this.told = reasons.length
      ? reasons.map((finding) => [finding.message, finding.hint])
      : [[this.message, answer.hint ?? ""]];
    this.isPassing = [408, 425, 429].includes(answer.status) || answer.status >= 500 || PASSING.includes(answer.code);
    this.isOfDescription = OF_DESCRIPTION.includes(answer.code);
    this.isRefusal = [413, 415, 422].includes(answer.status);
    this.isSignedOut = answer.status === 401 || answer.code === "csrf-mismatch";
  }
}

async function said(response) {
  try {
    return { status: response.status, ...(await response.json()) };
  } catch {
    return { status: response.status };
  }
}

export async function openBatch(address, token, told) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(told),
  });
  if (!response.ok) throw new Problem(await said(response));
  return response.json();
}

// A large file goes in pieces: the server says how much of it it has, so a cut or a pause costs one piece.
export async function sendFile(address, token, upload, metadata, isWanted, onSent) {
  const ask = (body, start, range) => {
    if (!isWanted()) throw new Error(""); // cancelled or paused between two pieces
    return send(address, token, upload, metadata, body, start, range, onSent);
  };
  const size = upload.file.size;
  if (size <= PIECE_BYTES) return ask(upload.file, 0, null);
  let answer = await ask(null, 0, `bytes */${size}`);
  while (answer.status === "receiving") {
    const start = answer.received_bytes;
    const stop = Math.min(size, start + PIECE_BYTES);
    answer = await ask(upload.file.slice(start, stop), start, `bytes ${start}-${stop - 1}/${size}`);
    upload.tries = 0; // it gets on: patience begins anew
  }
  return answer;
}

// XMLHttpRequest, because fetch does not tell how much of a body has been sent.
function send(address, token, upload, metadata, body, start, range, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("POST", address);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", upload.file.type || "application/octet-stream");
    request.setRequestHeader("Idempotency-Key", upload.key);
    request.setRequestHeader("Slipvault-Metadata", base64url(JSON.stringify(metadata)));
    request.setRequestHeader("X-CSRF-Token", token);
    if (range) request.setRequestHeader("Content-Range", range);
    request.upload.addEventListener("progress", (event) => onSent(Math.min(start + event.loaded, upload.file.size)));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300 && request.response) resolve(request.response);
      else reject(new Problem({ ...(request.response ?? {}), status: request.status }));
    });
    for (const failure of ["error", "timeout", "abort"]) request.addEventListener(failure, () => reject(new Error("")));
    request.send(body);
  });
}

export async function balanceOf(batchId) {
  const response = await fetch(`/batches/${batchId}/progress`, { headers: { Accept: "application/json" } });
  return response.ok ? response.json() : null;
}

// After signing in again in another tab the old token is void; the page's own form has the new one.
export async function freshToken() {
  const response = await fetch("/intake", { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.getElementById("intake-form")?.dataset.token ?? null;
}
