"""A scanning station: a folder that a scanner fills, emptied into the archive by a watcher.

Owns the folder's `.slipvault` directory (journal and lock), `done` and `refused`. Its invariants: a file leaves the
folder only after the server's answer is in the journal; the client key of a file is in the journal before its first
byte is sent, so that no crash makes two records of one file; nothing is ever deleted or overwritten.
"""
