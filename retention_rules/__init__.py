"""The law: facts and a date in, a decision with its reasons out. No I/O, no clock, nothing of ours imported.

`model` holds the words, `periods` the calendar arithmetic, `decision` the judgement, `packs` turns shipped rule
data (given as text) into rules, `identifiers` checks and masks the numbers that slips carry.
"""
