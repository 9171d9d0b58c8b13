// What was chosen and not yet sent, kept in this browser for the person who chose it: names, sizes and keys, never
// contents. A page that comes back says what is missing, and a file chosen again keeps its key, so it is never doubled.

const AGE_MS_MAX = 7 * 86400000;

export class Memory {
  constructor(person) {
    this.place = `slipvault-unsent-${person}`;
    this.held = this.read();
  }

  read() {
    try {
      const told = JSON.parse(localStorage.getItem(this.place)) ?? {};
      if (Date.now() - (told.at ?? 0) < AGE_MS_MAX) return { files: {}, ...told };
    } catch {
      // Nothing readable is nothing kept.
    }
    return { files: {} };
  }

  get names() {
    return Object.values(this.held.files).map((file) => file.name);
  }

  // The key under which this very file was to be sent before, if it was.
  keyOf(file) {
    return this.held.files[mark(file)]?.key;
  }

  keep(file, key, form) {
    this.held.files[mark(file)] = { name: file.name, key };
    Object.assign(this.held, { at: Date.now(), ...form });
    this.write();
  }

  drop(file) {
    if (delete this.held.files[mark(file)]) this.write();
  }

  forget() {
    this.held = { files: {} };
    this.write();
  }

  write() {
    try {
      if (Object.keys(this.held.files).length) localStorage.setItem(this.place, JSON.stringify(this.held));
      else localStorage.removeItem(this.place);
    } catch {
      // A browser that keeps nothing still sends.
    }
  }
}

function mark(file) {
  return `${file.name}/${file.size}/${file.lastModified}`;
}
