"""Access: people, units, roles, rights, sessions and tokens. The lowest rung of the nouns.

Words: *right* one thing that may be done, `noun:thing:action`; *role* a named set of rights; *viewer* whoever is
asking, with rights and the units whose records they may see.

Invariants: the officers for system, security and audit are never the same person (the database refuses it); tokens
and sessions are kept as digests only; every change of who may do what is in the ledger.
"""
