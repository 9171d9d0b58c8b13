"""The catalogue: what is kept, what each record is, who may see it, why it is still here, where its copies are.

Words: *record* 档案, *component* one stored object of a record, *retention class* 保管期限类, *fonds* 全宗,
*archival number* 档号 (DA/T 22-2015, DA/T 13-2022).

Invariants: a component row exists only for bytes that were read back from the store under their lock (U1).
Every change of a record raises its `revision` and leaves in the ledger one salted digest for each of its
tables, so that a row altered behind our back is found and named (V7). Personal fields exist only sealed.
"""
