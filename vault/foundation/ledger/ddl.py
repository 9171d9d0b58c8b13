"""What the database itself enforces of the ledger: insert-only rows, and no unwitnessed change (L1)."""

from __future__ import annotations

INSERT_ONLY = ("ledger_entries", "ledger_leaves", "ledger_checkpoints", "ledger_publications", "ledger_timestamps")

FUNCTIONS = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger rows are never changed or removed' USING ERRCODE = 'SV002';
END $$;

CREATE FUNCTION ledger_note_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_pending (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE xact = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'a change of % has no ledger entry', TG_TABLE_NAME USING ERRCODE = 'SV001';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entries_pending AFTER INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_note_pending();
"""


def insert_only_sql(table: str) -> str:
    """Statements that make `table` refuse every change, whoever asks."""
    return f"""
CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER {table}_untruncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""


def witness_sql(table: str) -> str:
    """The statement that makes a change of `table` need a ledger entry of the same transaction."""
    return f"""
CREATE CONSTRAINT TRIGGER {table}_witnessed AFTER INSERT OR UPDATE OR DELETE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_witness();
"""
