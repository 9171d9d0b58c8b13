"""Intake: scans and files come in, are checked, sealed, stored under lock, and catalogued.

Words: *batch* 批次 a pile announced by its sheets; *item* one file received; *refused* with its reasons, on the
quarantine list 隔离清单; *duplicate* the unit keeps these bytes already.

Invariants (true after a crash at any line; the numbers are those of `service.receive`):

- what was answered "accepted" is catalogued, verified and locked (U1, U2);
- an item is settled once: a retry with the same client key gets the first answer, never a second record;
- an object stored without a catalogue row is sealed and unreferenced: harmless, met again by the retry because
  the same bytes seal to the same object under the item's own record key, or found by reconciliation (U3).
"""
