"""Oversight: whether what we say of the archive is true. Highest rung: it may look at everything.

Owns verification: store, catalogue, keys and ledger held against each other, each difference named; and reconciliation:
what crashes left over is found, named and settled. Words: *leftover* 遗留对象 a stored version that no row names.
"""
