"""What oversight refuses."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class ReconciliationUnderWay(VaultError):
    """Another process reconciles at this moment; two would only do everything twice."""

    code = "reconciliation-under-way"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("A reconciliation is under way already.")
    hint = N_("Wait for its end, or cancel it under Jobs; then begin another.")
