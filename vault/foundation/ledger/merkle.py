"""The Merkle tree of RFC 9162 section 2.1, as pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
_INNER = hashlib.sha256(b"\x01")  # a copy of it is made a third sooner than a new hash


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    inner = _INNER.copy()
    inner.update(left + right)
    return inner.digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a list of equally high perfect subtrees, whose number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        above = []
        for place in range(0, len(level), 2):
            inner = _INNER.copy()
            inner.update(level[place] + level[place + 1])
            above.append(inner.digest())
        level = above
    return level[0]


def perfect_parts(size: int) -> list[tuple[int, int]]:
    """A range of `size` cut into perfect subtrees, largest first: (start, length) with lengths powers of two."""
    parts, start = [], 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            parts.append((start, 1 << bit))
            start += 1 << bit
    return parts


def join(parts: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, largest first (RFC 9162: the right one is folded into the left)."""
    if not parts:
        return EMPTY_ROOT
    root = parts[-1]
    for left in reversed(parts[:-1]):
        root = node_hash(left, root)
    return root


Subtree = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree over `length` leaves from `start`, `length` a power of two."""


def range_root(start: int, stop: int, subtree: Subtree) -> bytes:
    """The root over the leaves from `start` to `stop`, where `start` is a multiple of the next power of two."""
    return join([subtree(start + offset, length) for offset, length in perfect_parts(stop - start)])


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """RFC 9162 section 2.1.3.1: the path of leaf `index` in the tree of `size` leaves, from the leaf upwards.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(range_root(middle, stop, subtree))
            stop = middle
        else:
            proof.append(range_root(start, middle, subtree))
            start = middle
    return proof[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """RFC 9162 section 2.1.3.2: the root that the proof leads to; None when it has the wrong length."""
    if not 0 <= index < size:
        return None
    first, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if first & 1 or first == last:
            root = node_hash(step, root)
            while first and not first & 1:
                first >>= 1
                last >>= 1
        else:
            root = node_hash(root, step)
        first >>= 1
        last >>= 1
    return root if last == 0 else None


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """RFC 9162 section 2.1.4.1: that the tree of `old` leaves is the beginning of the tree of `new`.

    Raises:
        ValueError: `old` is not between 1 and `new`.
    """
    if not 0 < old <= new:
        raise ValueError(f"no consistency between {old} and {new}")
    proof: list[bytes] = []
    start, stop, is_whole = 0, new, True
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(range_root(middle, stop, subtree))
            stop = middle
        else:
            proof.append(range_root(start, middle, subtree))
            start, is_whole = middle, False
    if not is_whole:
        proof.append(range_root(start, stop, subtree))
    return proof[::-1]


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2: whether the proof leads to both roots."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    first, last = old - 1, new - 1
    while first & 1:
        first >>= 1
        last >>= 1
    old_side = new_side = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_side, new_side = node_hash(step, old_side), node_hash(step, new_side)
            while first and not first & 1:
                first >>= 1
                last >>= 1
        else:
            new_side = node_hash(new_side, step)
        first >>= 1
        last >>= 1
    return last == 0 and old_side == old_root and new_side == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
