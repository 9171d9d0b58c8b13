"""Why a seal does not open, and what custodians refuse."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class SealBroken(VaultError):
    """The root of all reasons why a sealed object or field does not open."""

    code = "seal-broken"
    status = 502
    exit_code = 1
    fault = Fault.STORE
    message = N_("A sealed object does not open.")
    hint = N_("Run slipvault verify: it names the object and what is wrong with it.")


class NotSealed(SealBroken):
    """The bytes are not a sealed object at all."""

    code = "not-a-sealed-object"
    message = N_("These bytes are not a sealed object.")


class Truncated(SealBroken):
    """The object ends before its last segment, or is shorter than any whole one can be."""

    code = "seal-truncated"
    message = N_("The sealed object is cut off.")


class UnsupportedFormat(SealBroken):
    """Another format, suite, segment size or header length."""

    code = "seal-format-unsupported"
    message = N_("The sealed object's {field} is {found}, which this reader does not support.")


class WrongIdentity(SealBroken):
    """The object belongs to another record or component."""

    code = "seal-wrong-identity"
    message = N_("The sealed object belongs to another component.")


class WrongKey(SealBroken):
    """The record key and the header do not belong together: another key, or an altered header."""

    code = "seal-wrong-key"
    message = N_("The sealed object is not committed to this record key.")


class Damaged(SealBroken):
    """A segment does not authenticate: altered, moved, exchanged, cut off or added to."""

    code = "seal-damaged"
    message = N_("Segment {segment} of the sealed object does not authenticate.")


class TrailingData(SealBroken):
    """Bytes follow the segment that was sealed as the last."""

    code = "seal-trailing-data"
    message = N_("Something was added to the sealed object after its last segment {segment}.")


class CustodianFailed(VaultError):
    """The custodian cannot be used."""

    code = "custodian-failed"
    status = 503
    exit_code = 78
    fault = Fault.OURS
    message = N_("The key custodian {custodian} cannot be used: {problem}.")
    hint = N_("Nothing was lost. The operator must mend the custodian's directory, module or PIN file.")


class EpochGone(VaultError):
    """The epoch's secret was destroyed or never existed: what it wrapped stays closed for ever."""

    code = "epoch-gone"
    status = 410
    exit_code = 66
    fault = Fault.OURS
    message = N_("The secret of epoch {epoch} does not exist.")
    hint = N_("If it was destroyed by a certified shredding, this is as it must be.")


class UnwrapFailed(VaultError):
    """A wrapped key is not what this custodian wrapped for this purpose."""

    code = "unwrap-failed"
    exit_code = 70
    fault = Fault.OURS
    message = N_("A wrapped key does not open under epoch {epoch}.")
    hint = N_("Check that the database and the custodian belong together.")


class NoRecordKey(VaultError):
    """The keyring holds no key for the record: it was shredded, or never existed."""

    code = "no-record-key"
    status = 410
    exit_code = 66
    fault = Fault.OURS
    message = N_("There is no key for record {record_id}.")
    hint = N_("If it was shredded, its certificate says so.")


class GroupKeyMissing(VaultError):
    """The keyring no longer has the group that wraps a record's key."""

    code = "group-key-missing"
    exit_code = 70
    fault = Fault.OURS
    message = N_("There is no key group {group_id}.")
    hint = N_("The row was removed from the database: restore it from a copy.")


class RecordKeyDamaged(VaultError):
    """The row that holds the record's wrapped key was altered, or belongs to another group."""

    code = "record-key-damaged"
    exit_code = 70
    fault = Fault.OURS
    message = N_("The key of record {record_id} does not open under its group's key.")
    hint = N_("The headers of the record's sealed objects hold the same wrapped key: restore the row from there.")
