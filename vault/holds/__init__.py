"""Holds: what a court or authority has ordered to be kept, and nobody may destroy while that stands.

Words: *matter* 案件, for whom and by which document something is held; *hold* 冻结, an order under a matter that nothing
among its records may be destroyed; *release* 解除, which two people approve, neither of whom proposed it.

Invariants: a hold counts from the commit of its rows, whatever a store says of it (H1), and is never refused because
something else is under way; a record is held until the last of its holds is released; a hold is released only with the
approval of two people for exactly these records (A1), and the database refuses otherwise. The legal hold in the stores
follows from the rows by a job, and is a second fence: it is set soon, and taken off only when no hold is left.
"""
