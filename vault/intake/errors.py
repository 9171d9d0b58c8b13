"""What intake refuses before a file is even looked at."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class ClientKeyReused(VaultError):
    """The client key was used before for other bytes, or for another class, unit or batch."""

    code = "client-key-reused"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This client key was used before for another file, or for another class, unit or batch.")
    hint = N_("Give every file its own key; a retry of the same file keeps its key and what was said of it.")


class StoreNotTrusted(VaultError):
    """The store does not refuse what it must refuse, so nothing may be kept in it."""

    code = "store-not-trusted"
    status = 503
    exit_code = 69
    fault = Fault.STORE
    message = N_("The store is not trusted with records. It failed: {lies}.")
    hint = N_("Nothing was stored. The operator must mend the store and probe it again: slipvault store probe URL.")


class BatchClosed(VaultError):
    """The batch was closed; nothing can be added to it."""

    code = "batch-closed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The batch is closed.")
    hint = N_("Open a new batch and send the file there.")


class DigestMismatch(VaultError):
    """The bytes that arrived are not the bytes that were announced."""

    code = "digest-mismatch"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The file arrived damaged: announced digest {announced}, received {received}.")
    hint = N_("Send it again; the network or the sending machine changed it.")


class UploadTooLarge(VaultError):
    """The upload is larger than this installation accepts."""

    code = "upload-too-large"
    status = 413
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The file is larger than {size_bytes_max} bytes.")
    hint = N_("Split it, or ask the operator to raise the limit.")


class PieceOutOfPlace(VaultError):
    """A piece does not begin where what has arrived ends."""

    code = "piece-out-of-place"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The piece does not begin where what has arrived ends: {received_bytes} bytes have arrived.")
    hint = N_("Go on from there. Two programs may be sending the same file.")


class ReceivedDamaged(VaultError):
    """What had arrived of an upload was damaged on the server's disk."""

    code = "received-damaged"
    status = 503
    exit_code = 75
    fault = Fault.OURS
    message = N_("What had arrived of the file was damaged on the server, as by a loss of power.")
    hint = N_("Nothing was stored. Send the file again from its beginning.")


class UploadBusy(VaultError):
    """Another request is receiving or storing the same upload."""

    code = "upload-busy"
    status = 503
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The file is being received or stored by another request.")
    hint = N_("Ask again with the same client key in {retry_after_s} seconds.")


class NoRoom(VaultError):
    """The server has no room for the upload."""

    code = "no-room"
    status = 507
    exit_code = 75
    fault = Fault.OURS
    message = N_("The server's disk has no room for this file at the moment.")
    hint = N_("Nothing was stored. Tell the operator; the same upload can go on when there is room.")


class SpoolUnavailable(VaultError):
    """The disk of the spool directory fails, otherwise than by being full."""

    code = "spool-unavailable"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The server's disk failed while it took the file in: {problem}.")
    hint = N_("Nothing was lost. The operator must see to the disk of the home directory; then send it again.")


class ExaminationUnavailable(VaultError):
    """No decoder process could be started; the file was not looked at."""

    code = "examination-unavailable"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The server cannot examine the file now: {problem}.")
    hint = N_("Nothing was lost and the file is not at fault. Send it again in a moment.")
