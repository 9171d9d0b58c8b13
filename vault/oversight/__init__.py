"""Oversight: whether what we say of the archive is true. Highest rung: it may look at everything.

Owns verification: store, catalogue, keys and ledger held against each other, each difference named.
"""
