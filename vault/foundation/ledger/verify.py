"""The offline verifier: an export and nothing else. It imports no database and trusts no writer.

Always checked: the signature, every tile against the tiles below it, every entry against its tile, the root, time
stamps, and an older checkpoint when one is given. `strict` also checks that each entry is canonical JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vault.foundation.ledger.checkpoint import PROOF_KIND, BadCheckpoint, Checkpoint, open_note
from vault.foundation.ledger.entry import canonical_json, leaf_hash
from vault.foundation.ledger.merkle import consistency_proof, fold, is_consistent, join, range_root, root_of_inclusion
from vault.foundation.ledger.tiles import (
    HASH_BYTES,
    WIDTH,
    BundleDamaged,
    decode_bundle,
    split,
    subtree_reader,
    tile_name,
)
from vault.foundation.ledger.timestamp import stamps

Progress = Callable[[int, int], None]
Read = Callable[[str], bytes]
"""Gives the bytes of the file of that name; OSError when it cannot."""
_MEMBERS = {"actor", "at", "context", "details", "event", "format", "id", "subject"}


@dataclass(frozen=True)
class LedgerFinding:
    """One thing wrong: a code of `docs/formats/ledger.md`, where, and a sentence."""

    code: str
    subject: str
    sentence: str


@dataclass(frozen=True)
class LedgerVerdict:
    """What the verifier says of an export."""

    size: int
    root: bytes | None
    findings: tuple[LedgerFinding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_export(
    directory: Path,
    *,
    public_key: bytes | None = None,
    older_note: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> LedgerVerdict:
    """Checks an export. `public_key` is the key you trust; without it the export's own is believed.

    `older_note` is a checkpoint that you kept: the export must be a continuation of it.
    """

    def read(name: str) -> bytes:
        return (directory / name).read_bytes()

    stamped = sorted(path.stem for path in (directory / "timestamps").glob("*.tsr"))
    return _Verifier(read, public_key, strict=strict, progress=progress).run(stamped, older_note)


def verify_files(read: Read, public_key: bytes, progress: Progress | None = None) -> LedgerVerdict:
    """Checks what has the names of an export and lies elsewhere, by the key you trust; without time stamps."""
    return _Verifier(read, public_key, strict=False, progress=progress).run((), None)


@dataclass(frozen=True)
class ProofVerdict:
    """`included`, or why not: `not-included`, `signature-wrong`, `proof-malformed`; and the checkpoint it rests on."""

    code: str
    checkpoint: Checkpoint | None = None


def verify_proof(proof: str, entry: bytes, public_key: bytes) -> ProofVerdict:
    """Checks a C2SP tlog-proof: that an entry stands at its index in the tree of a checkpoint that the key signed."""
    head, _, note = proof.partition("\n\n")
    kind, *lines = head.split("\n")
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[0]) if lines else None
    try:
        steps = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except ValueError:
        steps = [b""]
    if kind != PROOF_KIND or index is None or any(len(step) != HASH_BYTES for step in steps):
        return ProofVerdict("proof-malformed")
    try:
        checkpoint = open_note(note, public_key)
    except BadCheckpoint:
        return ProofVerdict("signature-wrong")
    root = root_of_inclusion(leaf_hash(entry), int(index[1]), checkpoint.size, steps)
    return ProofVerdict("included" if root == checkpoint.root else "not-included", checkpoint)


class _Verifier:
    def __init__(self, read: Read, public_key: bytes | None, *, strict: bool, progress: Progress | None) -> None:
        self._read = read
        self._public_key = public_key
        self._strict = strict
        self._say = progress or (lambda _done, _all: None)
        self._findings: list[LedgerFinding] = []

    def run(self, stamped: Sequence[str], older_note: str | None) -> LedgerVerdict:
        """All checks, in the order in which one relies on the other."""
        checkpoint = self._checkpoint()
        if checkpoint is None:
            return LedgerVerdict(0, None, tuple(self._findings))
        size = checkpoint.size
        leaves = self._entries(size)
        root = self._tiles(size, leaves)
        if root != checkpoint.root:
            self._found("root-differs", str(size), "the tiles do not make the checkpoint's root")
        self._timestamps(stamped)
        if older_note is not None:
            self._continues(older_note, checkpoint)
        return LedgerVerdict(size, checkpoint.root, tuple(self._findings))

    def _checkpoint(self) -> Checkpoint | None:
        try:
            key = self._public_key or base64.b64decode(self._read("public-key"))
            note = self._read("checkpoint").decode()
            self._public_key = key
            return open_note(note, key)
        except (OSError, ValueError) as error:
            self._found("signature-wrong", "checkpoint", f"the checkpoint is not signed by the key: {error}")
            return None

    def _entries(self, size: int) -> list[list[bytes]]:
        """The leaf hashes by tile, as the tiles have them; every entry is compared with its own."""
        tiles: list[list[bytes]] = []
        sha256 = hashlib.sha256
        for index in range(-(-size // WIDTH)):
            width = min(WIDTH, size - index * WIDTH)
            expected = self._tile(0, index, width)
            entries = self._bundle(index, width)
            if entries is not None:
                found = [sha256(b"\0" + entry).digest() for entry in entries]
                if expected is None:
                    expected = found
                elif found != expected:
                    self._name_differences(index * WIDTH, expected, found, entries)
                if self._strict:
                    self._canonical(index * WIDTH, entries)
            tiles.append(expected or [])
            self._say(index * WIDTH + width, size)
        return tiles

    def _bundle(self, index: int, width: int) -> list[bytes] | None:
        name = tile_name("entries", index, width)
        try:
            return decode_bundle(self._read(name))
        except OSError:
            self._found("bundle-missing", name, f"the bundle of entries {index * WIDTH} and on is missing")
        except BundleDamaged as error:
            self._found("bundle-damaged", name, str(error))
        return None

    def _tile(self, level: int, index: int, width: int) -> list[bytes] | None:
        name = tile_name(level, index, width)
        try:
            hashes = split(self._read(name))
        except OSError:
            self._found("tile-missing", name, "the tile is missing")
            return None
        if len(hashes) != width or len(hashes[-1]) != HASH_BYTES:
            self._found("tile-altered", name, f"the tile should hold {width} hashes")
            return None
        return hashes

    def _name_differences(
        self, first: int, expected: Sequence[bytes], found: Sequence[bytes], entries: Sequence[bytes]
    ) -> None:
        """Says of each difference what it is: altered, removed, inserted, or only in another order.

        Entries are counted, not only known: one that is there twice was inserted once.
        """
        gone, come = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
        if not gone and not come:
            moved = [first + i for i, leaf in enumerate(expected) if leaf != found[i]]
            self._found("entries-reordered", f"{moved[0]}-{moved[-1]}", f"entries {moved} stand in another order")
            return
        missing, surplus = _places(gone, expected, found), _places(come, found, expected)
        altered = missing & surplus if len(expected) == len(found) else set()
        for place in sorted(missing):
            is_altered = place in altered
            code = "entry-altered" if is_altered else "entry-removed"
            what = f"is not the one that was witnessed ({_name(entries[place])})" if is_altered else "was removed"
            self._found(code, str(first + place), f"entry {first + place} {what}")
        for place in sorted(surplus - altered):
            self._found(
                "entry-inserted", str(first + place), f"entry {first + place} was inserted ({_name(entries[place])})"
            )

    def _canonical(self, first: int, entries: Sequence[bytes]) -> None:
        for place, body in enumerate(entries):
            try:
                told = json.loads(body)
                is_canonical = isinstance(told, dict) and set(told) == _MEMBERS and canonical_json(told) == body
            except (ValueError, TypeError, RecursionError):
                is_canonical = False
            if not is_canonical:
                self._found("entry-not-canonical", str(first + place), f"entry {first + place} is not canonical")

    def _tiles(self, size: int, leaves: list[list[bytes]]) -> bytes | None:
        """The root, from the leaf tiles up; the upper tiles of the export must be the same."""
        level, tiles, parts = 0, leaves, []
        while True:
            below = tiles
            count = size >> 8 * level
            if count % WIDTH:
                last = below[count // WIDTH] if len(below) > count // WIDTH else []
                parts.append(_perfect(last[: count % WIDTH]))
            if count < WIDTH:
                break
            made = [fold(tile) if len(tile) == WIDTH else b"" for tile in below[: count // WIDTH]]
            level += 1
            tiles = [made[i : i + WIDTH] for i in range(0, len(made), WIDTH)]
            for index, expected in enumerate(tiles):
                held = self._tile(level, index, len(expected))
                if held is not None and held != expected:
                    self._found(
                        "tile-altered", tile_name(level, index, len(expected)), "not what the tiles below make"
                    )
        return join([part for group in reversed(parts) for part in group]) if all(parts) else None

    def _timestamps(self, stamped: Sequence[str]) -> None:
        for size in stamped:
            try:
                token, note = self._read(f"timestamps/{size}.tsr"), self._read(f"checkpoints/{size}")
                is_right = stamps(token, note)
                open_note(note.decode(), self._public_key or b"")
            except (OSError, ValueError):
                is_right = False
            if not is_right:
                self._found("timestamp-wrong", size, "the time stamp is not one of its checkpoint")

    def _continues(self, older_note: str, checkpoint: Checkpoint) -> None:
        try:
            older = open_note(older_note, self._public_key or b"")
        except BadCheckpoint as error:
            self._found(
                "signature-wrong", "older checkpoint", f"the older checkpoint is not signed by the key: {error}"
            )
            return
        if older.size > checkpoint.size:
            self._found(
                "rolled-back", str(older.size), f"{older.size} entries were witnessed, {checkpoint.size} are left"
            )
            return
        subtree = subtree_reader(self._read_tile(checkpoint.size))
        try:
            root = range_root(0, older.size, subtree)
            proof = consistency_proof(older.size, checkpoint.size, subtree) if older.size else []
        except (OSError, ValueError):
            return  # the missing or altered tile is named already
        if root != older.root or (
            older.size and not is_consistent(older.size, checkpoint.size, older.root, checkpoint.root, proof)
        ):
            self._found("forked", str(older.size), "the first entries are not those of the older checkpoint")

    def _read_tile(self, size: int) -> Callable[[int, int], bytes]:
        def read(level: int, index: int) -> bytes:
            width = min(WIDTH, (size >> 8 * level) - index * WIDTH)
            return self._read(tile_name(level, index, width))

        return read

    def _found(self, code: str, subject: str, sentence: str) -> None:
        self._findings.append(LedgerFinding(code, subject, sentence))


def _perfect(hashes: list[bytes]) -> list[bytes]:
    return [fold(part) for part in _powers(hashes)]


def _powers(hashes: list[bytes]) -> Iterator[list[bytes]]:
    start = 0
    for bit in range(len(hashes).bit_length() - 1, -1, -1):
        if len(hashes) >> bit & 1:
            yield hashes[start : start + (1 << bit)]
            start += 1 << bit


def _places(extra: Counter[bytes], hashes: Sequence[bytes], others: Sequence[bytes]) -> set[int]:
    """Where those that are too many stand: of several alike, first where the others have something else."""
    places, left = set(), extra.copy()
    for place in sorted(range(len(hashes)), key=lambda at: (hashes[at : at + 1] == others[at : at + 1], -at)):
        if left[hashes[place]] > 0:
            left[hashes[place]] -= 1
            places.add(place)
    return places


def _name(body: bytes) -> str:
    try:
        return str(json.loads(body)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unreadable"
