"""Background work: a queue in PostgreSQL (Procrastinate), a clock that only enqueues, and progress that people see."""
