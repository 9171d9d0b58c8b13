"""The trust: database, stores, keys, ledger, jobs. Knows no noun of the archive."""
