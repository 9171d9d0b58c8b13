"""Realistic slips for trying slipvault out: drawn forms with fictitious people, as a scanning station would send them."""
