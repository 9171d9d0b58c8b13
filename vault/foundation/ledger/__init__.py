"""The ledger: entries, the Merkle tree over them, checkpoints, time stamps, publication and verification."""
