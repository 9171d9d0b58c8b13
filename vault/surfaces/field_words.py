"""What the fields that errors name are called, so that no program's own name stands in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from vault.foundation.errors import N_

PERSONAL_FIELDS: Mapping[str, str] = {
    "id_number": N_("Citizen id number"),
    "card_number": N_("Bank card number"),
    "phone": N_("Telephone"),
}
DESCRIPTION_FIELDS: Mapping[str, str] = {
    "title": N_("Title"),
    "customer_name": N_("Customer"),
    "business_type": N_("Business type"),
    "business_number": N_("Business number"),
    "handler": N_("Handler"),
    "occurred_date": N_("Date of the business"),
    "attributes": N_("Other particulars"),
    **PERSONAL_FIELDS,
}
FIELDS: Mapping[str, str] = {
    **DESCRIPTION_FIELDS,
    "authority": N_("Authority"),
    "authority_name": N_("Name of the authority"),
    "basis": N_("Basis"),
    "class_code": N_("Retention class"),
    "client_key": N_("Client key"),
    "code": N_("Code"),
    "comment": N_("Comment"),
    "day": N_("Day"),
    "document_number": N_("Number of its document"),
    "effective_date": N_("In effect from"),
    "event": N_("Event"),
    "events": N_("Events"),
    "evidence": N_("Evidence"),
    "expires_date": N_("Valid until"),
    "file": N_("File"),
    "files": N_("Files"),
    "fonds_code": N_("Fonds number"),
    "format": N_("Format"),
    "handling": N_("What was done"),
    "language": N_("Language"),
    "lasts_days": N_("Days of validity"),
    "matter": N_("Matter"),
    "name": N_("Name"),
    "name_en": N_("English name"),
    "name_zh": N_("Chinese name"),
    "note": N_("Note"),
    "number": N_("Number"),
    "older_than_hours": N_("Age in hours"),
    "on_date": N_("Day"),
    "organisation": N_("Organisation"),
    "password_again": N_("New password again"),
    "public_key": N_("Public key"),
    "reason": N_("Reason"),
    "records": N_("Records"),
    "review_date": N_("Day of review"),
    "scopes": N_("Scope"),
    "sheets_announced": N_("Sheets announced"),
    "sign_in_name": N_("Sign-in name"),
    "signature": N_("Signature"),
    "source": N_("Source"),
    "unit_id": N_("Unit"),
    "value": N_("Value"),
    "waits_days": N_("Days of waiting"),
    "workdays": N_("Days worked"),
    "year": N_("Year"),
    "zone": N_("Time zone"),
}
# What the law says of a number that cannot be one; `retention_rules` speaks to no translator.
NUMBER_PROBLEMS = (
    N_("a card number has 12 to 19 digits"),
    N_("a telephone number has 5 to 15 digits"),
    N_("the check digit of this card number is not the usual one"),
    N_("this is not a mobile number"),
    N_("an id number has 17 digits and a check digit"),
    N_("its region does not exist"),
    N_("its date of birth does not exist"),
    N_("nobody who was born then can have it"),
    N_("its check digit is wrong"),
)
