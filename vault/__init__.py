"""Slipvault: records retention and data governance for business slips."""

__version__ = "0.1.0"
