"""What the database itself refuses of schedules and events, whatever Python does."""

from __future__ import annotations

FUNCTIONS = """
-- Nobody proposes or approves what was not tried on the records: exactly this draft, as it would be on the day from which
-- it shall apply, against the version that would apply then, by the law as it still is. One at a time, as in `book`.
CREATE FUNCTION retention_require_simulated(version uuid, draft bytea, at timestamptz, from_date date)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(x'736c69706c6177'::bigint);
    PERFORM FROM simulations AS s WHERE s.version_id = version AND s.draft_digest = draft
        AND s.finished_at >= at - interval '30 days' AND s.on_date = from_date
        AND s.against_number = (SELECT v.number FROM schedule_versions AS v
            WHERE v.state = 'approved' AND v.effective_date <= from_date
            ORDER BY v.effective_date DESC, v.approved_at DESC, v.number DESC LIMIT 1)
        AND s.law_changes_seen = (SELECT count(*) FROM law_changes);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this was not simulated as it stands' USING ERRCODE = 'SV004';
    END IF;
END $$;

CREATE FUNCTION retention_check_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    today date;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a schedule version is never removed' USING ERRCODE = 'SV004';
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- The shipped classes are the first version; nobody is there yet who could approve it.
        IF NEW.state <> 'draft' AND (NEW.number <> 1 OR EXISTS (SELECT FROM schedule_versions)) THEN
            RAISE EXCEPTION 'a schedule version begins as a draft' USING ERRCODE = 'SV004';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state NOT IN ('draft', 'proposed') THEN
        RAISE EXCEPTION 'a settled schedule version is never changed' USING ERRCODE = 'SV004';
    END IF;
    IF (NEW.id, NEW.number, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.number, OLD.created_at) THEN
        RAISE EXCEPTION 'a schedule version keeps its identity' USING ERRCODE = 'SV004';
    END IF;
    IF NEW.revision <> OLD.revision + 1 THEN
        RAISE EXCEPTION 'every act raises the revision of a schedule version by one' USING ERRCODE = 'SV004';
    END IF;
    IF OLD.state = 'proposed' AND (NEW.content, NEW.digest, NEW.effective_date, NEW.note, NEW.proposal_id)
        IS DISTINCT FROM (OLD.content, OLD.digest, OLD.effective_date, OLD.note, OLD.proposal_id) THEN
        RAISE EXCEPTION 'what was proposed is never changed' USING ERRCODE = 'SV004';
    END IF;
    IF OLD.state = 'draft' AND NEW.state NOT IN ('draft', 'proposed', 'withdrawn') THEN
        RAISE EXCEPTION 'a draft must be proposed first' USING ERRCODE = 'SV004';
    END IF;
    IF OLD.state = 'proposed' AND NEW.draft_digest IS DISTINCT FROM OLD.draft_digest
        OR NEW.state = 'proposed' AND OLD.state = 'draft' AND NEW.draft_digest IS DISTINCT FROM OLD.digest THEN
        RAISE EXCEPTION 'a proposal names the draft that was simulated' USING ERRCODE = 'SV004';
    END IF;
    IF NEW.state = 'proposed' AND OLD.state = 'draft' THEN
        IF (NEW.content, NEW.note) IS DISTINCT FROM (OLD.content, OLD.note) THEN
            RAISE EXCEPTION 'what is proposed is the draft as it stands' USING ERRCODE = 'SV004';
        END IF;
        PERFORM retention_require_simulated(NEW.id, NEW.draft_digest, NEW.changed_at, NEW.effective_date);
    END IF;
    IF NEW.state = 'approved' THEN
        PERFORM retention_require_simulated(NEW.id, NEW.draft_digest, NEW.approved_at, NEW.effective_date);
        PERFORM access_require_approved(NEW.proposal_id, 'retention:schedule:approve', NEW.id, NEW.digest, 2);
        SELECT (NEW.approved_at AT TIME ZONE time_zone)::date INTO today FROM organisation;
        IF NEW.effective_date < today THEN
            RAISE EXCEPTION 'a schedule never takes effect in the past' USING ERRCODE = 'SV004';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER schedule_versions_checked BEFORE INSERT OR UPDATE OR DELETE ON schedule_versions
    FOR EACH ROW EXECUTE FUNCTION retention_check_version();

CREATE FUNCTION retention_check_simulation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM schedule_versions WHERE id = NEW.version_id AND state IN ('draft', 'proposed')
            AND coalesce(draft_digest, digest) = NEW.draft_digest;
        IF NOT FOUND OR NEW.finished_at IS NOT NULL THEN
            RAISE EXCEPTION 'a simulation begins with an open version as it stands' USING ERRCODE = 'SV004';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.finished_at IS NOT NULL OR
        (NEW.id, NEW.version_id, NEW.draft_digest, NEW.run_id, NEW.on_date, NEW.asked_by, NEW.asked_at)
        IS DISTINCT FROM
        (OLD.id, OLD.version_id, OLD.draft_digest, OLD.run_id, OLD.on_date, OLD.asked_by, OLD.asked_at) THEN
        RAISE EXCEPTION 'a simulation is only ever finished, once' USING ERRCODE = 'SV004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER simulations_checked BEFORE INSERT OR UPDATE OR DELETE ON simulations
    FOR EACH ROW EXECUTE FUNCTION retention_check_simulation();

CREATE FUNCTION retention_refuse_effect_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was found is never changed' USING ERRCODE = 'SV004';
END $$;

CREATE TRIGGER simulation_effects_unchanged BEFORE UPDATE ON simulation_effects
    FOR EACH STATEMENT EXECUTE FUNCTION retention_refuse_effect_change();

CREATE FUNCTION retention_refuse_pack_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a rule pack is superseded by another, never changed or removed' USING ERRCODE = 'SV004';
END $$;

CREATE TRIGGER rule_packs_unchanged BEFORE UPDATE OR DELETE ON rule_packs
    FOR EACH ROW EXECUTE FUNCTION retention_refuse_pack_change();

CREATE FUNCTION retention_check_confirmation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (OLD.confirmed_at IS NOT NULL OR
        (NEW.id, NEW.rule_code, NEW.rule_digest, NEW.source, NEW.proposal_id)
        IS DISTINCT FROM (OLD.id, OLD.rule_code, OLD.rule_digest, OLD.source, OLD.proposal_id))) THEN
        RAISE EXCEPTION 'a confirmation is never changed or removed' USING ERRCODE = 'SV004';
    END IF;
    IF NEW.confirmed_at IS NOT NULL THEN
        PERFORM access_require_approved(NEW.proposal_id, 'retention:confirmation:approve',
            (SELECT subject_id FROM proposals WHERE id = NEW.proposal_id),
            sha256(convert_to(NEW.rule_code || chr(10) || NEW.rule_digest || chr(10) || NEW.source, 'UTF8')), 1);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rule_confirmations_checked BEFORE INSERT OR UPDATE OR DELETE ON rule_confirmations
    FOR EACH ROW EXECUTE FUNCTION retention_check_confirmation();

CREATE FUNCTION retention_check_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.undone_at IS NOT NULL OR
        (NEW.id, NEW.report_id, NEW.record_id, NEW.name, NEW.day, NEW.evidence, NEW.reported_by, NEW.known_at)
        IS DISTINCT FROM
        (OLD.id, OLD.report_id, OLD.record_id, OLD.name, OLD.day, OLD.evidence, OLD.reported_by, OLD.known_at) THEN
        RAISE EXCEPTION 'an event is never changed, only undone once' USING ERRCODE = 'SV004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER record_events_checked BEFORE UPDATE ON record_events
    FOR EACH ROW EXECUTE FUNCTION retention_check_event();

CREATE FUNCTION retention_check_classification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.known_at IS NOT NULL OR
        (NEW.id, NEW.record_id, NEW.from_class, NEW.to_class, NEW.reason, NEW.proposal_id, NEW.proposed_by)
        IS DISTINCT FROM
        (OLD.id, OLD.record_id, OLD.from_class, OLD.to_class, OLD.reason, OLD.proposal_id, OLD.proposed_by)) THEN
        RAISE EXCEPTION 'a classification is never changed' USING ERRCODE = 'SV004';
    END IF;
    IF NEW.is_after_filing AND NEW.known_at IS NOT NULL THEN
        PERFORM access_require_approved(NEW.proposal_id, 'retention:reclassification:approve', NEW.record_id,
            sha256(convert_to(NEW.record_id || chr(10) || NEW.from_class || chr(10) || NEW.to_class || chr(10)
                || NEW.reason, 'UTF8')), 1);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION retention_check_class() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.class_code IS DISTINCT FROM OLD.class_code
        AND EXISTS (SELECT FROM record_states WHERE record_id = NEW.id AND status = 'filed')
        AND NOT EXISTS (SELECT FROM classifications WHERE record_id = NEW.id AND from_class = OLD.class_code
            AND to_class = NEW.class_code AND is_after_filing AND known_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a filed record keeps its class until another is approved' USING ERRCODE = 'SV004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER records_class_checked BEFORE UPDATE OF class_code ON records
    FOR EACH ROW EXECUTE FUNCTION retention_check_class();

CREATE TRIGGER classifications_checked BEFORE INSERT OR UPDATE ON classifications
    FOR EACH ROW EXECUTE FUNCTION retention_check_classification();
"""
