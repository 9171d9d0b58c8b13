"""The one list of rights, and the roles that are made of them.

Roles are fixed: who may do what must be readable in one place and cannot be changed by whoever has the database. The
three officers 三员 are kept apart: the system officer runs the machine and sees no record, the security officer gives
people their roles and does not act as them, the audit officer reads everything that happened and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from vault.foundation.errors import N_


class Right(StrEnum):
    """`noun:thing:action`."""

    PUBLIC_PAGE_VIEW = "public:page:view"
    SELF_SESSION_USE = "self:session:use"
    RECORDS_RECORD_READ = "records:record:read"
    RECORDS_ORIGINAL_FETCH = "records:original:fetch"
    RECORDS_FIELD_UNMASK = "records:field:unmask"
    RECORDS_RECORD_CLASSIFY = "records:record:classify"
    RECORDS_RECORD_DESCRIBE = "records:record:describe"
    RECORDS_RECORD_VERIFY = "records:record:verify"
    INTAKE_BATCH_CREATE = "intake:batch:create"
    INTAKE_ITEM_SEND = "intake:item:send"
    INTAKE_QUARANTINE_READ = "intake:quarantine:read"
    INTAKE_QUARANTINE_HANDLE = "intake:quarantine:handle"
    LEDGER_ENTRY_READ = "ledger:entry:read"
    LEDGER_LEDGER_VERIFY = "ledger:ledger:verify"
    LEDGER_LEDGER_EXPORT = "ledger:ledger:export"
    STORES_HEALTH_READ = "stores:health:read"
    STORES_STORE_PROBE = "stores:store:probe"
    STORES_STORE_RECONCILE = "stores:store:reconcile"
    KEYS_HEALTH_READ = "keys:health:read"
    JOBS_JOB_READ = "jobs:job:read"
    JOBS_JOB_CANCEL = "jobs:job:cancel"
    ACCESS_PERSON_READ = "access:person:read"
    ACCESS_PERSON_MANAGE = "access:person:manage"
    ACCESS_ROLE_GRANT = "access:role:grant"
    ACCESS_STATION_READ = "access:station:read"
    ACCESS_STATION_MANAGE = "access:station:manage"
    ACCESS_TOKEN_ISSUE = "access:token:issue"  # noqa: S105 - the name of a right, nothing confidential
    ACCESS_LIST_EXPORT = "access:list:export"
    SETTINGS_ORGANISATION_MANAGE = "settings:organisation:manage"
    CATALOGUE_CLASS_READ = "catalogue:class:read"
    RETENTION_SCHEDULE_READ = "retention:schedule:read"
    RETENTION_SCHEDULE_DRAFT = "retention:schedule:draft"
    RETENTION_SCHEDULE_SIMULATE = "retention:schedule:simulate"
    RETENTION_SCHEDULE_APPROVE = "retention:schedule:approve"
    RETENTION_CONFIRMATION_PROPOSE = "retention:confirmation:propose"
    RETENTION_CONFIRMATION_APPROVE = "retention:confirmation:approve"
    RETENTION_CALENDAR_ENTER = "retention:calendar:enter"
    RETENTION_EVENT_READ = "retention:event:read"
    RETENTION_EVENT_REPORT = "retention:event:report"
    RETENTION_EVENT_UNDO = "retention:event:undo"
    RETENTION_RECORD_FILE = "retention:record:file"
    RETENTION_STATION_TRUST = "retention:station:trust"
    RETENTION_RECLASSIFICATION_APPROVE = "retention:reclassification:approve"
    HOLDS_MATTER_READ = "holds:matter:read"
    HOLDS_MATTER_OPEN = "holds:matter:open"
    HOLDS_HOLD_PLACE = "holds:hold:place"
    HOLDS_RELEASE_PROPOSE = "holds:release:propose"
    HOLDS_RELEASE_APPROVE = "holds:release:approve"


RIGHT_WORDS: Mapping[Right, str] = MappingProxyType(
    {
        Right.PUBLIC_PAGE_VIEW: N_("See what is open to everybody, such as the sign-in page"),
        Right.SELF_SESSION_USE: N_("Sign in, change one's own password and language"),
        Right.RECORDS_RECORD_READ: N_("Find records and look at their pages"),
        Right.RECORDS_ORIGINAL_FETCH: N_("Take out the original of a record"),
        Right.RECORDS_FIELD_UNMASK: N_("See a masked number in full, giving the reason"),
        Right.RECORDS_RECORD_CLASSIFY: N_("Set the class of a record"),
        Right.RECORDS_RECORD_DESCRIBE: N_("Correct the description of a record; the old values stay readable"),
        Right.RECORDS_RECORD_VERIFY: N_("Verify one record now"),
        Right.INTAKE_BATCH_CREATE: N_("Open and close batches of scans"),
        Right.INTAKE_ITEM_SEND: N_("Send scans in"),
        Right.INTAKE_QUARANTINE_READ: N_("See what was refused and why"),
        Right.INTAKE_QUARANTINE_HANDLE: N_("Say what was done about what was refused"),
        Right.LEDGER_ENTRY_READ: N_("Read the ledger"),
        Right.LEDGER_LEDGER_VERIFY: N_("Verify the ledger"),
        Right.LEDGER_LEDGER_EXPORT: N_("Export the ledger"),
        Right.STORES_HEALTH_READ: N_("See how the stores are"),
        Right.STORES_STORE_PROBE: N_("Probe a store"),
        Right.STORES_STORE_RECONCILE: N_("Have stores compared with the catalogue: leftovers settled, locks mended"),
        Right.KEYS_HEALTH_READ: N_("See how the keys are"),
        Right.JOBS_JOB_READ: N_("See background jobs"),
        Right.JOBS_JOB_CANCEL: N_("Cancel background jobs"),
        Right.ACCESS_PERSON_READ: N_("See people and their roles"),
        Right.ACCESS_PERSON_MANAGE: N_("Add and disable people, give one-time passwords"),
        Right.ACCESS_ROLE_GRANT: N_("Grant and revoke roles"),
        Right.ACCESS_STATION_READ: N_("See scanning stations and their tokens"),
        Right.ACCESS_STATION_MANAGE: N_("Add scanning stations"),
        Right.ACCESS_TOKEN_ISSUE: N_("Issue and revoke the tokens of stations"),
        Right.ACCESS_LIST_EXPORT: N_("Take a list out as a file, names masked"),
        Right.SETTINGS_ORGANISATION_MANAGE: N_("Change the organisation and its units"),
        Right.CATALOGUE_CLASS_READ: N_("Read the retention classes"),
        Right.RETENTION_SCHEDULE_READ: N_("Read the versions of the schedule and the rules"),
        Right.RETENTION_SCHEDULE_DRAFT: N_("Draft and propose a version of the schedule"),
        Right.RETENTION_SCHEDULE_SIMULATE: N_("Try a version of the schedule on all records, changing nothing"),
        Right.RETENTION_SCHEDULE_APPROVE: N_("Approve or refuse a version of the schedule that others proposed"),
        Right.RETENTION_CONFIRMATION_PROPOSE: N_("Confirm an unverified rule with its source"),
        Right.RETENTION_CONFIRMATION_APPROVE: N_("Approve or refuse a confirmation that others proposed"),
        Right.RETENTION_CALENDAR_ENTER: N_("Enter the holidays of a year"),
        Right.RETENTION_EVENT_READ: N_("See the events from which periods count"),
        Right.RETENTION_EVENT_REPORT: N_("Report events from which periods count"),
        Right.RETENTION_EVENT_UNDO: N_("Undo an event that somebody else reported by mistake"),
        Right.RETENTION_RECORD_FILE: N_("File records, which locks them for as long as the law says"),
        Right.RETENTION_STATION_TRUST: N_("Let a station's clean scans be filed without anybody looking"),
        Right.RETENTION_RECLASSIFICATION_APPROVE: N_("Approve or refuse another class for a filed record"),
        Right.HOLDS_MATTER_READ: N_("See matters and what is held under them"),
        Right.HOLDS_MATTER_OPEN: N_("Open and close matters"),
        Right.HOLDS_HOLD_PLACE: N_("Place holds, so that nobody can destroy what is held"),
        Right.HOLDS_RELEASE_PROPOSE: N_("Propose to release a hold"),
        Right.HOLDS_RELEASE_APPROVE: N_("Approve or refuse the release of a hold that others proposed"),
    }
)


class Role(StrEnum):
    """What somebody is to the archive."""

    CLERK = "clerk"
    ARCHIVIST = "archivist"
    ARCHIVE_ADMINISTRATOR = "archive_administrator"
    LEGAL = "legal"
    APPROVER = "approver"
    INSPECTOR = "inspector"
    SYSTEM_OFFICER = "system_officer"
    SECURITY_OFFICER = "security_officer"
    AUDIT_OFFICER = "audit_officer"


ROLE_NAMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.CLERK: N_("Clerk"),
        Role.ARCHIVIST: N_("Archivist"),
        Role.ARCHIVE_ADMINISTRATOR: N_("Archive administrator"),
        Role.LEGAL: N_("Legal officer"),
        Role.APPROVER: N_("Department head"),
        Role.INSPECTOR: N_("Inspector"),
        Role.SYSTEM_OFFICER: N_("System officer"),
        Role.SECURITY_OFFICER: N_("Security officer"),
        Role.AUDIT_OFFICER: N_("Audit officer"),
    }
)

ROLE_PURPOSES: Mapping[Role, str] = MappingProxyType(
    {
        Role.CLERK: N_("Brings slips in and looks at those of the own unit."),
        Role.ARCHIVIST: N_("Keeps the records of all units, compares fields with scans."),
        Role.ARCHIVE_ADMINISTRATOR: N_("Sets retention classes, stations and the organisation."),
        Role.LEGAL: N_("Finds records that a court or authority asks for, and holds them."),
        Role.APPROVER: N_("Heads a unit, sees its records, and approves what others propose."),
        Role.INSPECTOR: N_("Inspects records and what was done with them; changes nothing."),
        Role.SYSTEM_OFFICER: N_("Runs stores, keys and jobs; sees no record."),
        Role.SECURITY_OFFICER: N_("Gives people their accounts and roles; sees no record."),
        Role.AUDIT_OFFICER: N_("Reads the ledger and verifies it; changes nothing."),
    }
)

OFFICERS = frozenset({Role.SYSTEM_OFFICER, Role.SECURITY_OFFICER, Role.AUDIT_OFFICER})
_EVERYBODY = frozenset({Right.SELF_SESSION_USE, Right.PUBLIC_PAGE_VIEW, Right.CATALOGUE_CLASS_READ})
_BRINGS_IN = frozenset(
    {
        Right.INTAKE_BATCH_CREATE,
        Right.INTAKE_ITEM_SEND,
        Right.INTAKE_QUARANTINE_READ,
        Right.INTAKE_QUARANTINE_HANDLE,
    }
)
_READS = frozenset({Right.RECORDS_RECORD_READ})
_FOLLOWS_THE_LAW = frozenset({Right.RETENTION_SCHEDULE_READ, Right.RETENTION_EVENT_READ})
_KEEPS = _FOLLOWS_THE_LAW | {
    Right.RETENTION_EVENT_REPORT,
    Right.RETENTION_EVENT_UNDO,
    Right.RETENTION_RECORD_FILE,
    Right.RETENTION_CONFIRMATION_PROPOSE,
    Right.RETENTION_SCHEDULE_DRAFT,
    Right.RETENTION_SCHEDULE_SIMULATE,
    Right.HOLDS_MATTER_READ,
}

ROLE_RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.CLERK: _EVERYBODY | _BRINGS_IN | _READS,
        Role.ARCHIVIST: _EVERYBODY
        | _BRINGS_IN
        | _READS
        | _KEEPS
        | {
            Right.RECORDS_ORIGINAL_FETCH,
            Right.RECORDS_FIELD_UNMASK,
            Right.RECORDS_RECORD_CLASSIFY,
            Right.RECORDS_RECORD_DESCRIBE,
            Right.RECORDS_RECORD_VERIFY,
            Right.LEDGER_ENTRY_READ,
            Right.JOBS_JOB_READ,
            Right.ACCESS_LIST_EXPORT,
        },
        Role.ARCHIVE_ADMINISTRATOR: _EVERYBODY
        | _BRINGS_IN
        | _READS
        | _KEEPS
        | {
            Right.RETENTION_CALENDAR_ENTER,
            Right.RETENTION_STATION_TRUST,
            Right.RECORDS_ORIGINAL_FETCH,
            Right.RECORDS_FIELD_UNMASK,
            Right.RECORDS_RECORD_CLASSIFY,
            Right.RECORDS_RECORD_DESCRIBE,
            Right.RECORDS_RECORD_VERIFY,
            Right.LEDGER_ENTRY_READ,
            Right.LEDGER_LEDGER_VERIFY,
            Right.JOBS_JOB_READ,
            Right.STORES_HEALTH_READ,
            Right.STORES_STORE_RECONCILE,
            Right.KEYS_HEALTH_READ,
            Right.ACCESS_PERSON_READ,
            Right.ACCESS_STATION_READ,
            Right.ACCESS_STATION_MANAGE,
            Right.ACCESS_TOKEN_ISSUE,
            Right.ACCESS_LIST_EXPORT,
            Right.SETTINGS_ORGANISATION_MANAGE,
        },
        Role.LEGAL: _EVERYBODY
        | _READS
        | _FOLLOWS_THE_LAW
        | {
            Right.RECORDS_ORIGINAL_FETCH,
            Right.RECORDS_FIELD_UNMASK,
            Right.RECORDS_RECORD_VERIFY,
            Right.LEDGER_ENTRY_READ,
            Right.HOLDS_MATTER_READ,
            Right.HOLDS_MATTER_OPEN,
            Right.HOLDS_HOLD_PLACE,
            Right.HOLDS_RELEASE_PROPOSE,
        },
        Role.APPROVER: _EVERYBODY
        | _READS
        | _FOLLOWS_THE_LAW
        | {
            Right.INTAKE_QUARANTINE_READ,
            Right.RETENTION_SCHEDULE_SIMULATE,
            Right.RETENTION_SCHEDULE_APPROVE,
            Right.RETENTION_CONFIRMATION_APPROVE,
            Right.RETENTION_RECLASSIFICATION_APPROVE,
            Right.RETENTION_EVENT_UNDO,
            Right.HOLDS_MATTER_READ,
            Right.HOLDS_RELEASE_APPROVE,
        },
        Role.INSPECTOR: _EVERYBODY
        | _READS
        | _FOLLOWS_THE_LAW
        | {
            Right.INTAKE_QUARANTINE_READ,
            Right.HOLDS_MATTER_READ,
            Right.RECORDS_RECORD_VERIFY,
            Right.LEDGER_ENTRY_READ,
            Right.LEDGER_LEDGER_VERIFY,
            Right.STORES_HEALTH_READ,
            Right.KEYS_HEALTH_READ,
            Right.ACCESS_LIST_EXPORT,
        },
        Role.SYSTEM_OFFICER: _EVERYBODY
        | {
            Right.STORES_HEALTH_READ,
            Right.STORES_STORE_PROBE,
            Right.STORES_STORE_RECONCILE,
            Right.KEYS_HEALTH_READ,
            Right.JOBS_JOB_READ,
            Right.JOBS_JOB_CANCEL,
            Right.SETTINGS_ORGANISATION_MANAGE,
        },
        Role.SECURITY_OFFICER: _EVERYBODY
        | {
            Right.ACCESS_PERSON_READ,
            Right.ACCESS_PERSON_MANAGE,
            Right.ACCESS_ROLE_GRANT,
            Right.ACCESS_STATION_READ,
            Right.ACCESS_STATION_MANAGE,
            Right.ACCESS_TOKEN_ISSUE,
        },
        Role.AUDIT_OFFICER: _EVERYBODY
        | {
            Right.RETENTION_SCHEDULE_READ,
            Right.LEDGER_ENTRY_READ,
            Right.LEDGER_LEDGER_VERIFY,
            Right.LEDGER_LEDGER_EXPORT,
            Right.STORES_HEALTH_READ,
            Right.KEYS_HEALTH_READ,
            Right.ACCESS_PERSON_READ,
            Right.ACCESS_STATION_READ,
            Right.ACCESS_LIST_EXPORT,
            Right.JOBS_JOB_READ,
        },
    }
)

# Whose records: these roles see every unit's, the others their own unit's.
SEES_ALL_UNITS = frozenset({Role.ARCHIVIST, Role.ARCHIVE_ADMINISTRATOR, Role.LEGAL, Role.INSPECTOR})

# The first administrator sets the house up alone and hands over: people, roles, stations, settings, and the archive.
FIRST_ADMINISTRATOR_ROLES = (Role.ARCHIVE_ADMINISTRATOR, Role.SECURITY_OFFICER)

# Events may come from the systems of the business: they sign in as stations do.
STATION_SCOPES = frozenset(
    {
        Right.INTAKE_ITEM_SEND,
        Right.INTAKE_BATCH_CREATE,
        Right.RECORDS_RECORD_READ,
        Right.RETENTION_EVENT_REPORT,
    }
)


# What a token gives when nothing else is asked for: a station that only sends needs to read nothing.
STATION_SCOPES_USUAL = frozenset({Right.INTAKE_ITEM_SEND, Right.INTAKE_BATCH_CREATE})
# What somebody may do who has not yet replaced the one-time password.
RIGHTS_BEFORE_PASSWORD = frozenset({Right.SELF_SESSION_USE, Right.PUBLIC_PAGE_VIEW})


def exclude_each_other(roles: frozenset[Role]) -> bool:
    """Whether no one person may hold all of `roles`: two officers, or the system officer and anything else."""
    return len(roles & OFFICERS) > 1 or (Role.SYSTEM_OFFICER in roles and len(roles) > 1)


def rights_of(roles: frozenset[Role]) -> frozenset[Right]:
    """All rights of the roles together."""
    return frozenset().union(*(ROLE_RIGHTS[role] for role in roles)) if roles else frozenset()
