"""What the database itself refuses of locks: one that was set is never shortened or weakened (invariant R1)."""

from __future__ import annotations

FUNCTIONS = """
CREATE FUNCTION catalogue_keep_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lock_until < OLD.lock_until THEN
        RAISE EXCEPTION 'a lock is never shortened' USING ERRCODE = 'SV005';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION catalogue_keep_lock_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.lock_mode = 'COMPLIANCE' AND NEW.lock_mode <> 'COMPLIANCE' THEN
        RAISE EXCEPTION 'a lock is never weakened' USING ERRCODE = 'SV005';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION catalogue_keep_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'filed' AND NEW.status <> 'filed' THEN
        RAISE EXCEPTION 'a filed record stays filed' USING ERRCODE = 'SV005';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER component_copies_lock_kept BEFORE UPDATE OF lock_until ON component_copies
    FOR EACH ROW EXECUTE FUNCTION catalogue_keep_lock();
CREATE TRIGGER component_copies_mode_kept BEFORE UPDATE OF lock_mode ON component_copies
    FOR EACH ROW EXECUTE FUNCTION catalogue_keep_lock_mode();
CREATE TRIGGER record_states_lock_kept BEFORE UPDATE OF lock_until ON record_states
    FOR EACH ROW EXECUTE FUNCTION catalogue_keep_lock();
CREATE TRIGGER record_states_filed_kept BEFORE UPDATE OF status ON record_states
    FOR EACH ROW EXECUTE FUNCTION catalogue_keep_filed();
"""
