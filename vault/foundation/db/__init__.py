"""PostgreSQL: the engine, the transaction that must be witnessed, and the embedded server's launcher."""
