"""The law's sentences for people. The law itself imports nothing, so its message ids are marked here."""

from __future__ import annotations

from retention_rules.model import Reason
from vault.foundation.errors import N_
from vault.surfaces.i18n import Translator

SENTENCES = (
    N_("The period of {period} counts from the event {trigger}, which has not happened yet."),
    N_("The event {trigger} was on {trigger_date}; the period of {period} counts from {start_date} to {until_date}."),
    N_("Kept permanently."),
    N_("No law or standard is known for it: at least five years from {start_date}, to {until_date}."),
    N_("The organisation keeps this class for {period} from {start_date}, to {until_date}."),
    N_("Kept no longer than {period} after the event {trigger}, which was on {trigger_date}: to {delete_by}."),
    N_("Kept no longer than {period} after the event {trigger}, which has not happened yet."),
    N_("Advice, no duty: a claim may be raised for {period} after the event {trigger}."),
    N_("In force only from {effective_date}."),
    N_("Locked to the end of its retention, {until_date}."),
    N_("Locked {horizon} ahead of today, to {until_date}, and renewed as time goes on."),
    N_("Its end cannot be told yet: locked {horizon} ahead of today, to {until_date}, and renewed as time goes on."),
    N_("Locked as long as a store can, to {until_date}, and renewed as time goes on."),
    N_("Locked to {until_date} already, which is never shortened."),
)

TRIGGERS = {
    "slip_closed": N_("slip closed"),
    "record_created": N_("record made"),
    "document_created": N_("document made"),
    "record_year": N_("year of the record"),
    "fiscal_year_end": N_("end of the fiscal year"),
    "relationship_ended": N_("business relationship ended"),
    "relationship_or_transaction_end": N_("relationship or transaction ended"),
    "transaction_completed": N_("transaction completed"),
    "account_closed": N_("account closed"),
    "contract_terminated": N_("contract ended"),
    "last_visit": N_("last visit"),
    "last_discharge": N_("last discharge"),
    "right_infringement_known": N_("the infringement became known"),
}


def reason_in_words(speaker: Translator, reason: Reason) -> str:
    """One step of the derivation in the reader's language."""
    told = dict(reason.facts)
    if "trigger" in told:
        told["trigger"] = f"“{speaker.gettext(TRIGGERS.get(told['trigger'], told['trigger']))}”"
    for name in ("period", "horizon"):
        if name in told:
            told[name] = period_in_words(speaker, told[name])
    return speaker.gettext(reason.text).format(**told)


def period_in_words(speaker: Translator, period: str) -> str:
    """`P10Y` as `10 years`; a form that is not known stays as it is."""
    if not period.startswith("P") or len(period) < 3 or not period[1:-1].isdigit():
        return period
    count = int(period[1:-1])
    forms = {
        "Y": ("%(num)s year", "%(num)s years"),
        "M": ("%(num)s month", "%(num)s months"),
        "D": ("%(num)s day", "%(num)s days"),
    }
    singular, plural = forms[period[-1]]
    return speaker.ngettext(singular, plural, count) % {"num": count}
