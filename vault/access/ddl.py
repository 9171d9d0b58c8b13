"""What the database itself refuses of two-person acts (invariant A1), whatever Python does."""

from __future__ import annotations

FUNCTIONS = """
CREATE FUNCTION access_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    proposal proposals;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'an approval is neither changed nor taken back' USING ERRCODE = 'SV003';
    END IF;
    SELECT * INTO proposal FROM proposals WHERE id = NEW.proposal_id FOR UPDATE;
    IF proposal.state IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'the proposal is settled' USING ERRCODE = 'SV003';
    END IF;
    IF proposal.proposed_by = NEW.person_id THEN
        RAISE EXCEPTION 'nobody approves their own proposal' USING ERRCODE = 'SV003';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER approvals_checked BEFORE INSERT OR UPDATE OR DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION access_check_approval();

CREATE FUNCTION access_check_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a proposal begins open' USING ERRCODE = 'SV003';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a proposal is never removed' USING ERRCODE = 'SV003';
    END IF;
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'the proposal is settled' USING ERRCODE = 'SV003';
    END IF;
    IF (NEW.id, NEW.act, NEW.subject_id, NEW.digest, NEW.approvals_needed, NEW.proposed_by_kind, NEW.proposed_by,
        NEW.proposed_at) IS DISTINCT FROM (OLD.id, OLD.act, OLD.subject_id, OLD.digest, OLD.approvals_needed,
        OLD.proposed_by_kind, OLD.proposed_by, OLD.proposed_at) THEN
        RAISE EXCEPTION 'what was proposed is never changed' USING ERRCODE = 'SV003';
    END IF;
    IF NEW.state = 'approved' THEN
        PERFORM FROM approvals WHERE proposal_id = NEW.id AND NOT is_approved;
        IF FOUND OR (SELECT count(*) FROM approvals WHERE proposal_id = NEW.id) < NEW.approvals_needed THEN
            RAISE EXCEPTION 'the proposal has not the approvals it needs' USING ERRCODE = 'SV003';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER proposals_checked BEFORE INSERT OR UPDATE OR DELETE ON proposals
    FOR EACH ROW EXECUTE FUNCTION access_check_proposal();

-- What a two-person act asks before it takes effect: exactly this was approved, by so many people.
CREATE FUNCTION access_require_approved(wanted uuid, wanted_act text, subject uuid, wanted_digest bytea, people integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM proposals WHERE id = wanted AND act = wanted_act AND subject_id = subject AND digest = wanted_digest
        AND state = 'approved' AND approvals_needed >= people;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this was not approved by % people', people USING ERRCODE = 'SV003';
    END IF;
END $$;
"""
