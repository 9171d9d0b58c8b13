"""Checks exports, proofs and checkpoints of the ledger: a second implementation that shares no code with slipvault.

    python verify_ledger.py export DIR [PUBLIC_KEY_BASE64] [OLDER_CHECKPOINT]
    python verify_ledger.py proof PROOF ENTRY PUBLIC_KEY_BASE64
    python verify_ledger.py checkpoint CHECKPOINT PUBLIC_KEY_BASE64

Needs Python 3.11 and `openssl` 1.1.1 or newer, nothing else. Exit 0 with what was proven, 1 with the reason otherwise.
Format: ledger.md beside this file. The key that an export brings proves only that it fits itself: give the one you know.
"""

import base64
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410), before the 32 bytes of the key.
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")


class Wrong(Exception):
    """Something is not as it must be."""


def check_note(note: str, key: bytes) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the key signed."""
    text, _, signatures = note.partition("\n\n")
    if text.count("\n") < 2 or "\r" in note:
        raise Wrong("not a checkpoint")
    origin, size, root = text.split("\n")[:3]
    if origin != f"slipvault.local/{hashlib.sha256(key).hexdigest()[:16]}":
        raise Wrong("the checkpoint is of another log and not signed by this key")
    wanted = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "\u2014" or name != origin:
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if blob[:4] == wanted and openssl_accepts(key, f"{text}\n".encode(), blob[4:]):
            if not re.fullmatch("0|[1-9][0-9]*", size) or len(base64.b64decode(root, validate=True)) != 32:
                raise Wrong("a line of the checkpoint is malformed")
            return int(size), base64.b64decode(root)
    raise Wrong("the checkpoint is not signed by this key")


def openssl_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether OpenSSL's command line finds the Ed25519 signature right."""
    with tempfile.TemporaryDirectory() as directory:
        for name, data in {"key.der": SPKI_PREFIX + key, "message": message, "signature": signature}.items():
            (Path(directory) / name).write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
        more = ["-in", "message", "-sigfile", "signature"]
        return subprocess.run([*command, *more], cwd=directory, capture_output=True, check=False).returncode == 0


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1: the larger power of two to the left."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:middle]) + root_of(leaves[middle:])).digest()


def read_tile(directory: Path, level: str, index: int, width: int) -> bytes:
    """A tile by its C2SP name: three digits a group, all but the last with an x before it."""
    digits = f"{index:0{3 * -(-len(str(index)) // 3)}d}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]]) + (f".p/{width}" if width < 256 else "")
    try:
        return (directory / "tile" / level / name).read_bytes()
    except OSError:
        raise Wrong(f"tile/{level}/{name} is missing") from None


def entries_of(data: bytes) -> list[bytes]:
    """The entries of a bundle, each with its length in two bytes before it."""
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2])
        if at + 2 + length > len(data):
            raise Wrong("a bundle ends inside an entry")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return entries


def check_export(directory: Path, key: bytes, older: str | None = None) -> tuple[int, bytes]:
    """Every entry and every tile leads to the root that was signed; an older checkpoint is a beginning of it."""
    size, root = check_note((directory / "checkpoint").read_bytes().decode(), key)
    leaves: list[bytes] = []
    for first in range(0, size, 256):
        width = min(256, size - first)
        entries = entries_of(read_tile(directory, "entries", first // 256, width))
        if len(entries) != width:
            raise Wrong(f"the bundle from {first} on holds {len(entries)} entries, not {width}")
        leaves += [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    if root_of(leaves) != root:
        raise Wrong("the entries do not make the root that was signed")
    level, hashes = 0, leaves
    while hashes:
        for first in range(0, len(hashes), 256):
            part = hashes[first : first + 256]
            if read_tile(directory, str(level), first // 256, len(part)) != b"".join(part):
                raise Wrong(f"tile {first // 256} of level {level} is not what lies below it")
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    if older is not None:
        old_size, old_root = check_note(older, key)
        if old_size > size or root_of(leaves[:old_size]) != old_root:
            raise Wrong("the older checkpoint is no beginning of this ledger")
    return size, root


def check_proof(proof: str, entry: bytes, key: bytes) -> tuple[int, bytes]:
    """A C2SP tlog-proof: the entry stands at its index in the tree that was signed."""
    head, _, note = proof.partition("\n\n")
    kind, index_line, *steps = head.split("\n")
    if kind != "c2sp.org/tlog-proof@v1" or not index_line.startswith("index "):
        raise Wrong("not a proof of this form")
    size, root = check_note(note, key)
    if not re.fullmatch("0|[1-9][0-9]*", index_line[6:]):
        raise Wrong("the index is no number")
    index, last, found = int(index_line[6:]), size - 1, hashlib.sha256(b"\0" + entry).digest()
    if not 0 <= index <= last:
        raise Wrong("the tree is smaller than the index")
    for step in steps:
        other = base64.b64decode(step, validate=True)
        if last == 0 or len(other) != 32:
            raise Wrong("the path has the wrong length")
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + other + found).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + other).digest()
        index, last = index >> 1, last >> 1
    if last or found != root:
        raise Wrong("the path does not lead to the root that was signed")
    return size, root


def main(what: str, path: str, *rest: str) -> int:
    """Prints what was proven, or why nothing was."""
    try:
        if what == "export":
            own = (Path(path) / "public-key").read_text(encoding="ascii")
            older = Path(rest[1]).read_bytes().decode() if len(rest) > 1 else None
            size, root = check_export(Path(path), base64.b64decode(rest[0] if rest else own), older)
        elif what == "proof":
            proof, entry = Path(path).read_bytes().decode(), Path(rest[0]).read_bytes()
            size, root = check_proof(proof, entry, base64.b64decode(rest[1]))
        else:
            size, root = check_note(Path(path).read_bytes().decode(), base64.b64decode(rest[0]))
    except (Wrong, OSError, ValueError) as wrong:
        print(wrong)
        return 1
    print(f"{what} is right: {size} entries, root {root.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
