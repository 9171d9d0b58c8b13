"""Retention: which schedule applies, what has happened to a record, and therefore how long it is kept and locked.

Words: *schedule version* 保管期限表版本, *confirmation* of a rule 规则核实, *event* 事件 from which periods count, *filing*
归档 by which a record gets the lock of its class, *due dates* 到期日期 that follow from all of these.

Invariants: a schedule version takes effect only with the approval of two people, neither the proposer (A1), and
nothing of it changes afterwards; an event is never overwritten, only undone by somebody else; a lock is never
shortened (R1), so a new schedule, an undone event or another class can only leave a promise as it is or make it longer.
Due dates are derived: `due_dates` computes them again at any time from what is recorded, and verification does.
"""
