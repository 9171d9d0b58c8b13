"""What the database itself refuses of holds, and what it refuses because of them, whatever Python does."""

from __future__ import annotations

FUNCTIONS = """
CREATE FUNCTION holds_check_matter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR
        (NEW.id, NEW.number, NEW.authority, NEW.authority_name, NEW.document_number, NEW.basis, NEW.title, NEW.salt,
         NEW.opened_by_kind, NEW.opened_by, NEW.opened_at)
        IS DISTINCT FROM
        (OLD.id, OLD.number, OLD.authority, OLD.authority_name, OLD.document_number, OLD.basis, OLD.title, OLD.salt,
         OLD.opened_by_kind, OLD.opened_by, OLD.opened_at) THEN
        RAISE EXCEPTION 'a matter is only ever closed, once' USING ERRCODE = 'SV006';
    END IF;
    IF EXISTS (SELECT FROM holds WHERE matter_id = NEW.id AND released_at IS NULL) THEN
        RAISE EXCEPTION 'holds are in force under the matter' USING ERRCODE = 'SV006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER matters_checked BEFORE UPDATE OR DELETE ON matters
    FOR EACH ROW EXECUTE FUNCTION holds_check_matter();

-- What a release names, so that exactly these records are released and no other: see `releasing.release_digest`. It stands
-- in the ledger, beside the ids: the matter's salt keeps anybody from trying reasons on it (L3).
CREATE FUNCTION holds_release_digest(hold uuid, reason text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(matters.salt || convert_to(hold || chr(10) || holds_release_digest.reason || chr(10)
        || string_agg(record_id::text, chr(10) ORDER BY record_id), 'UTF8'))
    FROM held_records JOIN holds ON holds.id = hold_id JOIN matters ON matters.id = matter_id
    WHERE hold_id = hold GROUP BY matters.salt
$$;

CREATE FUNCTION holds_check_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM matters WHERE id = NEW.matter_id AND closed_at IS NULL FOR UPDATE;
        IF NOT FOUND OR NEW.released_at IS NOT NULL OR NEW.release_proposal_id IS NOT NULL THEN
            RAISE EXCEPTION 'a hold begins in force, under an open matter' USING ERRCODE = 'SV006';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a hold is never removed' USING ERRCODE = 'SV006';
    END IF;
    IF OLD.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'a released hold is never changed' USING ERRCODE = 'SV006';
    END IF;
    IF (NEW.id, NEW.matter_id, NEW.number, NEW.reason, NEW.review_date, NEW.placed_by_kind, NEW.placed_by, NEW.placed_at)
        IS DISTINCT FROM
        (OLD.id, OLD.matter_id, OLD.number, OLD.reason, OLD.review_date, OLD.placed_by_kind, OLD.placed_by,
         OLD.placed_at) THEN
        RAISE EXCEPTION 'a hold is never changed, only released' USING ERRCODE = 'SV006';
    END IF;
    IF NEW.released_at IS NOT NULL THEN
        PERFORM access_require_approved(NEW.release_proposal_id, 'holds:release:approve', NEW.id,
            holds_release_digest(NEW.id, NEW.release_reason), 2);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holds_checked BEFORE INSERT OR UPDATE OR DELETE ON holds
    FOR EACH ROW EXECUTE FUNCTION holds_check_hold();

CREATE FUNCTION holds_check_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM holds WHERE id = NEW.hold_id AND released_at IS NULL FOR UPDATE;
        IF NOT FOUND OR NEW.released_at IS NOT NULL THEN
            RAISE EXCEPTION 'a record is held by a hold in force' USING ERRCODE = 'SV006';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.released_at IS NOT NULL OR
        (NEW.hold_id, NEW.record_id, NEW.held_at) IS DISTINCT FROM (OLD.hold_id, OLD.record_id, OLD.held_at) THEN
        RAISE EXCEPTION 'a held record is only ever released, once' USING ERRCODE = 'SV006';
    END IF;
    IF NEW.released_at IS NOT NULL THEN
        PERFORM FROM holds WHERE id = NEW.hold_id AND released_at = NEW.released_at;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a record is released with its hold' USING ERRCODE = 'SV006';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER held_records_checked BEFORE INSERT OR UPDATE OR DELETE ON held_records
    FOR EACH ROW EXECUTE FUNCTION holds_check_held();

-- H1: of a held record no row, earlier value or key is deleted, and no row comes to name another record or object. The
-- record's row lock comes first, which whoever places a hold takes too: so a hold committed at any instant before wins.
-- What may lawfully change stays open: a key is wrapped anew, and values and personal fields are corrected. That a key was
-- overwritten with something else, only verification tells.
CREATE FUNCTION holds_refuse_destruction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'records' THEN owner := OLD.id;
        WHEN 'component_copies' THEN
            SELECT record_id INTO owner FROM components WHERE id = OLD.component_id;
        ELSE owner := OLD.record_id;
    END CASE;
    PERFORM FROM record_states WHERE record_id = owner FOR UPDATE;
    IF EXISTS (SELECT FROM held_records WHERE record_id = owner AND released_at IS NULL) THEN
        RAISE EXCEPTION 'the record is held' USING ERRCODE = 'SV006';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER records_held BEFORE DELETE OR UPDATE OF id ON records
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
CREATE TRIGGER record_states_held BEFORE DELETE OR UPDATE OF record_id ON record_states
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
CREATE TRIGGER components_held BEFORE DELETE OR UPDATE OF id, record_id ON components
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
CREATE TRIGGER component_copies_held
    BEFORE DELETE OR UPDATE OF component_id, store, object_key, version_id ON component_copies
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
CREATE TRIGGER corrections_held BEFORE DELETE OR UPDATE ON corrections
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
CREATE TRIGGER record_keys_held BEFORE DELETE OR UPDATE OF record_id ON record_keys
    FOR EACH ROW EXECUTE FUNCTION holds_refuse_destruction();
"""
