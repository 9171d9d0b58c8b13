"""Makes the vectors of the ledger: run it here, and nothing may change.

It writes exports, proofs and checkpoints by the format document with `cryptography` alone, never with slipvault, so that
a vector that is accepted shows two implementations agreeing. Everything is derived from fixed texts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"slipvault vector ledger").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"slipvault vector other ledger").digest())
Files = dict[str, bytes]


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def origin(key: Ed25519PrivateKey) -> str:
    return f"slipvault.local/{hashlib.sha256(public(key)).hexdigest()[:16]}"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signature_line(text: str, key: Ed25519PrivateKey, name: str | None = None) -> str:
    name = name or origin(key)
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public(key)).digest()[:4]
    return f"\u2014 {name} {b64(key_id + key.sign(text.encode()))}\n"


def note(
    size: int | str, root: bytes, key: Ed25519PrivateKey = KEY, extension: str = "", name: str | None = None
) -> str:
    text = f"{name or origin(key)}\n{size}\n{b64(root)}\n{extension}"
    return f"{text}\n{signature_line(text, key, name)}"


def entry(number: int, history: str = "") -> bytes:
    """An entry in canonical form; another history has other entries."""

    def named(what: str) -> str:
        digest = hashlib.sha256(f"{what} {number} {history}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-7{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    told = {
        "format": 1,
        "id": named("id"),
        "at": f"2026-11-24T06:05:{number % 60:02d}.{number:06d}Z",
        "event": "catalogue:record:register",
        "actor": {"kind": "person", "id": named("actor")},
        "subject": {"type": "record", "id": named("subject")},
        "context": None,
        "details": {"revision": 1, "窗口".encode().hex(): "甲"},
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:middle]), root_of(leaves[middle:]))


def path_of(leaves: list[bytes], index: int) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, word for word."""
    if len(leaves) < 2:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return [*path_of(leaves[:middle], index), root_of(leaves[middle:])]
    return [*path_of(leaves[middle:], index - middle), root_of(leaves[:middle])]


def tile_name(level: object, index: int, width: int) -> str:
    assert index < 1000
    return f"tile/{level}/{index:03d}" + ("" if width == 256 else f".p/{width}")


def bundle(entries: list[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(2) + one for one in entries)


def export(size: int, history: str = "", bodies: list[bytes] | None = None) -> Files:
    entries = bodies or [entry(number, history) for number in range(size)]
    files: Files = {}
    for first in range(0, size, 256):
        part = entries[first : first + 256]
        files[tile_name("entries", first // 256, len(part))] = bundle(part)
    level, hashes = 0, [leaf(one) for one in entries]
    root = root_of(hashes)
    while hashes:
        for first in range(0, len(hashes), 256):
            part = hashes[first : first + 256]
            files[tile_name(level, first // 256, len(part))] = b"".join(part)
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    files["public-key"] = base64.b64encode(public(KEY)) + b"\n"
    files["checkpoint"] = note(size, root).encode()
    return files


def altered(files: Files, name: str, change: Callable[[bytes], bytes | None]) -> Files:
    changed = change(files[name])
    rest = {key: data for key, data in files.items() if key != name}
    return rest if changed is None else {**rest, name: changed}


def flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def rebundled(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    def again(_: bytes) -> bytes:
        return bundle(change([entry(number) for number in range(256)]))

    return again


def exports() -> Iterator[tuple[str, dict[str, Any], Files]]:
    """Names, outcomes (the codes of the document; whether the second implementation accepts), files."""
    for size in (1, 2, 255, 256, 257, 513):
        yield f"good-{size}", {"codes": [], "second": True}, export(size)
    base, first = export(257), tile_name("entries", 0, 256)

    def hostile(name: str, code: str, files: Files, **more: Any) -> tuple[str, dict[str, Any], Files]:
        return name, {"codes": [code], "second": False, **more}, files

    swapped = rebundled(lambda e: [*e[:5], e[6], e[5], *e[7:]])
    both = ["entry-altered", "entry-not-canonical"]  # the flip hits the name of a member
    yield hostile("entry-altered", "", altered(base, first, flipped(1000)), codes=both)
    yield hostile("entry-removed", "entry-removed", altered(base, first, rebundled(lambda e: e[:5] + e[6:])))
    inserted = rebundled(lambda e: [*e[:5], entry(999), *e[5:]])
    yield hostile("entry-inserted", "entry-inserted", altered(base, first, inserted))
    doubled = rebundled(lambda e: [*e[:5], e[4], *e[5:]])
    yield hostile("entry-doubled", "entry-inserted", altered(base, first, doubled))
    doubled = rebundled(lambda e: [*e[:5], e[4], *e[6:]])
    yield hostile("entry-doubled-over-another", "entry-altered", altered(base, first, doubled))
    deep = rebundled(lambda e: [*e[:5], b"[" * 60_000, *e[6:]])
    altered_deep = ["entry-altered", "entry-not-canonical"]
    yield hostile("entry-of-brackets", "", altered(base, first, deep), codes=altered_deep)
    exchanged = rebundled(lambda e: [*e[:5], entry(5, "x"), *e[6:]])
    yield hostile("entry-exchanged", "entry-altered", altered(base, first, exchanged))
    yield hostile("entries-reordered", "entries-reordered", altered(base, first, swapped))
    yield hostile("bundle-cut", "bundle-damaged", altered(base, first, lambda data: data[:-1]))
    yield hostile("bundle-missing", "bundle-missing", altered(base, first, lambda _: None))
    yield hostile("tile-altered-below", "tile-altered", altered(base, tile_name(1, 0, 1), flipped(0)))
    yield hostile("tile-cut", "tile-altered", altered(base, tile_name(0, 0, 256), lambda data: data[:-32]))
    yield hostile("tile-missing", "tile-missing", altered(base, tile_name(0, 1, 1), lambda _: None))
    size_changed = altered(base, "checkpoint", lambda data: data.replace(b"\n257\n", b"\n256\n"))
    yield hostile("checkpoint-size-altered", "signature-wrong", size_changed)
    yield hostile("checkpoint-signature-altered", "signature-wrong", altered(base, "checkpoint", flipped(-9)))
    yield hostile("checkpoint-of-another-key", "signature-wrong", {
        **base, "checkpoint": note(257, root_of([leaf(entry(n)) for n in range(257)]), OTHER_KEY).encode()
    })  # fmt: skip
    # Signed, but over another tree: what a custodian that is misused would make.
    yield hostile("root-of-another-tree", "root-differs", {**base, "checkpoint": note(257, bytes(32)).encode()})
    yield hostile("checkpoint-missing", "signature-wrong", altered(base, "checkpoint", lambda _: None))
    older = {"older": note(513, root_of([leaf(entry(n)) for n in range(513)]))}
    yield hostile("rolled-back", "rolled-back", base, **older)
    forked = {"older": note(100, root_of([leaf(entry(n, "other")) for n in range(100)]))}
    yield hostile("forked", "forked", base, **forked)
    kept = {"older": note(100, root_of([leaf(entry(n)) for n in range(100)]))}
    yield "continued", {"codes": [], "second": True, **kept}, base
    # What only ours looks at: the second implementation has neither a parser of JSON forms nor of time stamps.
    spaced = [json.dumps(json.loads(entry(0))).encode()]
    yield "entry-not-canonical", {"codes": ["entry-not-canonical"], "second": True}, export(1, bodies=spaced)
    stamped = {"timestamps/257.tsr": b"0\x03\x02\x01\x00", "checkpoints/257": base["checkpoint"]}
    yield "timestamp-wrong", {"codes": ["timestamp-wrong"], "second": True}, {**base, **stamped}


def proof(index: int | str, path: list[bytes], checkpoint: str, kind: str = "c2sp.org/tlog-proof@v1") -> str:
    return f"{kind}\nindex {index}\n{''.join(b64(step) + chr(10) for step in path)}\n{checkpoint}"


def proofs() -> Iterator[tuple[str, str, str, bytes]]:
    """Names, outcomes, proofs, entries."""
    for size, indexes in ((1, [0]), (2, [0, 1]), (3, [2]), (7, [0, 3, 6]), (8, [7]), (300, [0, 255, 256, 299])):
        leaves = [leaf(entry(number)) for number in range(size)]
        for index in indexes:
            good = proof(index, path_of(leaves, index), note(size, root_of(leaves)))
            yield f"good-{index}-of-{size}", "included", good, entry(index)
    leaves = [leaf(entry(number)) for number in range(7)]
    path, signed, third = path_of(leaves, 3), note(7, root_of(leaves)), entry(3)
    yield "another-entry", "not-included", proof(3, path, signed), entry(4)
    yield "another-index", "not-included", proof(2, path, signed), third
    yield "step-altered", "not-included", proof(3, [path[0], bytes(32), path[2]], signed), third
    yield "step-missing", "not-included", proof(3, path[:-1], signed), third
    yield "step-added", "not-included", proof(3, [*path, bytes(32)], signed), third
    yield "steps-reordered", "not-included", proof(3, path[::-1], signed), third
    yield "index-beyond-the-tree", "not-included", proof(7, path, signed), third
    # An inner node shown as an entry: the prefixes of leaves and nodes differ, so that it is none.
    yield "node-as-entry", "not-included", proof(1, path_of(leaves, 3)[1:], signed), leaves[2] + leaves[3]
    yield "another-tree", "not-included", proof(3, path, note(8, root_of([*leaves, leaves[0]]))), third
    yield "another-key", "signature-wrong", proof(3, path, note(7, root_of(leaves), OTHER_KEY)), third
    yield "size-altered", "signature-wrong", proof(3, path, signed.replace("\n7\n", "\n8\n")), third
    yield "another-form", "proof-malformed", proof(3, path, signed, "c2sp.org/tlog-proof@v2"), third
    yield "index-no-number", "proof-malformed", proof("-3", path, signed), third
    yield "index-without-end", "proof-malformed", proof("7" * 5000, path, signed), third
    foreign_letter = signed.replace("\n\n", "\n\n\u2014 another.example \u00e9\n")
    yield "cosigned-in-other-letters", "included", proof(3, path, foreign_letter), third
    short = proof(3, path, signed).replace(b64(path[0]), b64(path[0][:31]))
    yield "step-too-short", "proof-malformed", short, third


def checkpoints() -> Iterator[tuple[str, str, str]]:
    """Names, outcomes, notes."""
    root = root_of([leaf(entry(0))])
    text = f"{origin(KEY)}\n1\n{b64(root)}\n"
    own, other = signature_line(text, KEY), signature_line(text, OTHER_KEY)
    yield "good", "signed", note(1, root)
    yield "empty-tree", "signed", note(0, root_of([]))
    yield "cosigned-before", "signed", f"{text}\n{other}{own}"
    yield "cosigned-after", "signed", f"{text}\n{own}{other}"
    yield "cosigned-in-other-letters", "signed", f"{text}\n\u2014 another.example \u00e9\n{own}"
    yield "extension-lines", "signed", note(1, root, extension="an extension line\n")
    yield "unsigned", "refused", f"{text}\n"
    yield "only-another-key", "refused", f"{text}\n{other}"
    yield "signature-in-other-letters", "refused", f"{text}\n\u2014 {origin(KEY)} \u00e9\n"
    yield "origin-of-another-log", "refused", note(1, root, name="example.org/log")
    yield "name-of-another-log", "refused", f"{text}\n{signature_line(text, KEY, 'example.org/log')}"
    yield "signature-of-another-text", "refused", f"{text}\n{signature_line(text + 'x', KEY)}"
    yield "signature-cut", "refused", f"{text}\n{own[:-6]}\n"
    yield "key-id-altered", "refused", f"{text}\n{own.replace(own[27:29], 'AA', 1)}"
    yield "hyphen-for-dash", "refused", f"{text}\n{own.replace(chr(0x2014), '-')}"
    yield "no-empty-line", "refused", text + own
    yield "windows-lines", "refused", note(1, root).replace("\n", "\r\n")
    yield "size-altered", "refused", note(1, root).replace("\n1\n", "\n2\n")
    yield "root-altered", "refused", note(1, root).replace(b64(root), b64(bytes(32)))
    # Signed by our key, and still no checkpoint.
    yield "size-with-zero", "refused", note("01", root)
    yield "size-with-sign", "refused", note("+1", root)
    yield "size-in-other-digits", "refused", note("\u0661", root)
    yield "root-too-short", "refused", note(1, root[:31])
    yield "root-not-base64", "refused", note(1, root).replace(b64(root), "?" * 44)
    yield "nothing", "refused", ""


def packed(data: bytes) -> str:
    return b64(zlib.compress(data, 9))


def main() -> None:
    here = Path(__file__).parent
    for old in here.glob("*/*.json"):
        old.unlink()
    for kind in ("exports", "proofs", "checkpoints"):
        (here / kind).mkdir(exist_ok=True)
    key = b64(public(KEY))
    for name, outcome, files in exports():
        body = {**outcome, "public_key": key, "files": {n: packed(data) for n, data in sorted(files.items())}}
        write(here / "exports" / f"{name}.json", body)
    for name, result, text, body_of in proofs():
        told = {"outcome": result, "public_key": key, "proof": text, "entry": b64(body_of)}
        write(here / "proofs" / f"{name}.json", told)
    for name, result, text in checkpoints():
        write(here / "checkpoints" / f"{name}.json", {"outcome": result, "public_key": key, "note": text})


def write(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, ensure_ascii=True, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
