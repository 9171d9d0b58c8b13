"""The C2SP tlog-tiles layout, as pure functions: names, bundles, and subtrees out of tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vault.foundation.ledger.merkle import Subtree, fold

WIDTH = 256
HASH_BYTES = 32
_LEVEL_BITS = 8


class BundleDamaged(ValueError):
    """An entry bundle whose lengths do not fit its bytes."""


def tile_name(level: int | str, index: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`; level `entries` names entry bundles."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Every hash tile of a tree of `size` leaves: (level, index, width)."""
    level = 0
    while size:
        for index in range(size // WIDTH):
            yield level, index, WIDTH
        if size % WIDTH:
            yield level, size // WIDTH, size % WIDTH
        size //= WIDTH
        level += 1


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """Every entry bundle of a tree of `size` leaves: (index, width)."""
    for index in range(size // WIDTH):
        yield index, WIDTH
    if size % WIDTH:
        yield size // WIDTH, size % WIDTH


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries with their lengths before them."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        BundleDamaged: a length runs over the end.
    """
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        position = start + (data[position] << 8 | data[position + 1] if start <= end else 65536)
        if position > end:
            raise BundleDamaged(f"the bundle ends inside entry {len(entries)}")
        entries.append(data[start:position])
    return entries


def split(hashes: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]


def subtree_reader(read_tile: Callable[[int, int], bytes]) -> Subtree:
    """A `Subtree` that takes hashes out of tiles; `read_tile(level, index)` gives a tile's bytes, asked for once each."""
    held: dict[tuple[int, int], bytes] = {}

    def subtree(start: int, length: int) -> bytes:
        height = length.bit_length() - 1
        level, within = divmod(height, _LEVEL_BITS)
        first = start >> (level * _LEVEL_BITS)
        tile, offset = divmod(first, WIDTH)
        if (level, tile) not in held:
            held[level, tile] = read_tile(level, tile)
        hashes = split(held[level, tile][offset * HASH_BYTES : (offset + (1 << within)) * HASH_BYTES])
        if len(hashes) != 1 << within:
            raise ValueError(f"tile {level}/{tile} is too narrow")
        return fold(hashes)

    return subtree
