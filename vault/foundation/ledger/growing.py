"""A Merkle tree to which leaves are added one by one, in the layout of tiles."""

from __future__ import annotations

from collections.abc import Sequence

from vault.foundation.ledger.merkle import fold, join, perfect_parts
from vault.foundation.ledger.tiles import WIDTH


class GrowingTree:
    """The right edge of a tree: at each level the tile that is not full yet. Its root at any moment costs a few hashes.

    `changed` holds every tile that was added to, (level, index) to hashes; who has dealt with one takes it out.
    """

    def __init__(self, size: int = 0, levels: Sequence[list[bytes]] = ()) -> None:
        self.size = size
        self._levels = list(levels)
        self.changed: dict[tuple[int, int], list[bytes]] = {}

    def append(self, leaf: bytes) -> None:
        """Adds a leaf hash."""
        level, hashed = 0, leaf
        while True:
            if level == len(self._levels):
                self._levels.append([])
            tile = self._levels[level]
            tile.append(hashed)
            self.changed[level, self.size >> 8 * (level + 1)] = tile
            if len(tile) < WIDTH:
                break
            self._levels[level] = []
            level, hashed = level + 1, fold(tile)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        parts: list[bytes] = []
        for tile in reversed(self._levels):
            parts += [fold(tile[start : start + length]) for start, length in perfect_parts(len(tile))]
        return join(parts)
