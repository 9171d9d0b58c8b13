"""What actions are called, so that the same act has the same name on every page and in both languages."""

from __future__ import annotations

from vault.foundation.errors import N_

ANOTHER_CLASS = N_("Another class")
ADD_PERSON = N_("Add a person")
CANCEL = N_("Cancel")
CLOSE_BATCH = N_("Close the batch")
CLOSE_UNBALANCED = N_("Close although it does not balance")
CORRECT = N_("Correct the description")
DESCRIBE = N_("Describe")
DISABLE = N_("Disable")
ENABLE = N_("Enable")
FILE = N_("File the record")
FILE_ALL = N_("File what is to be filed")
STOP_FILING = N_("Stop filing")
HOLD = N_("Hold it")
FETCH_ORIGINAL = N_("Fetch the original")
NEW_ONE_TIME_PASSWORD = N_("New one-time password")
PROBE_STORES = N_("Try the stores now")
RECONCILE = N_("Reconcile the store now")
REPORT_EVENT = N_("Report an event")
REVOKE = N_("Revoke")
SEND_MORE = N_("Send more")
SEND_SCANS = N_("Send scans")
TRY_AGAIN = N_("Try again")
UNDO = N_("Undo")
VERIFY = N_("Verify")
VERIFY_NOW = N_("Verify now")

RECEIVED_TODAY = N_("Records received today")
BEING_WORKED_ON = N_("Being worked on")
TO_BE_FILED = N_("To be filed")
REFUSED_TODAY = N_("Refused today")
