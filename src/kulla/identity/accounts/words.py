"""Words for what the keeper refuses. One sentence each, the same for everyone."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from kulla.identity.security import words as passwords
from kulla.keeper_client import Refused

Text = str | Promise

AWAY: Text = _("This does not work for a moment: the part that knows people does not answer. Try again soon.")
NOT_NOW: Text = _(
    "Nothing can be changed for a moment, because it could not be kept safe. Try again in a few minutes."
)
SENTENCES: dict[str, Text] = {
    "wrong_code": _(
        "This does not fit together: something is wrong, was used already, or is too old. "
        "After five wrong tries ask for a new code."
    ),
    "letter_used": _(
        "This letter was used already. If it was not you, go to any counter with a document at once."
    ),
    "letter_expired": _("This letter is older than thirty days. Any counter gives you a new one."),
    "letter_replaced": _("You were given a newer letter after this one: use the newest."),
    "too_late": _("That took too long, or was done already on another device. Begin again."),
    "nothing_lost": _("Your account has no second step. Sign in with your number and password."),
    "bad_contact": _("That does not look right. Check it for mistakes."),
    "same_contact": _("This is what stands on record now."),
    "unknown_change": _("This change does not wait any more."),
    "assisted": _("At the counter this is not changed on your own pages: the clerk has a page for it."),
    "short_session": _("On a device that is not yours this cannot be changed."),
    "role": _("On a device that is not yours, or as an official, this cannot be changed."),
    "dead": _("The register says that this person has died. Heirs have their own way at the counter."),
    "under_age": _("Children have no account: their guardians act for them until they are 18."),
    "needs_two": _("This person is an official: two administrators decide about their account."),
    "protected": _("This person is protected: a second official must agree first."),
    "not_official": _("This person is no official: give a letter."),
    "asked_already": _("This was asked for already. It waits for two administrators."),
    "too_many": _("Too many of your requests wait to be decided."),
    "unknown_request": _("This letter was printed already, or its time is over."),
    "bad_identifier": _("A number of this kind looks different. Check it for mistakes."),
    "not_yours": _("For your own account go to a colleague."),
    "unknown_link": _("We do not know this link. Check that all of it is in the address."),
    "link_expired": _("This link is older than thirty days. If something is wrong, go to any counter."),
}
DOCUMENTS: dict[str, Text] = {
    "id_card": _("Identity card"),
    "passport": _("Passport"),
    "residence_permit": _("Residence permit"),
    "refugee_document": _("Refugee document"),
}
CHANNELS: dict[str, Text] = {"phone": _("Telephone"), "email": _("E-mail")}


def sentence(refused: Refused) -> tuple[Text, int]:
    """(what the page says, its status)."""
    if refused.code == "slow_down":
        seconds = int(refused.details.get("retry_after_s", 60))
        minutes = max(1, -(-seconds // 60))
        text = ngettext(
            "There were too many attempts. Try again in %(minutes)s minute.",
            "There were too many attempts. Try again in %(minutes)s minutes.",
            minutes,
        )
        return text % {"minutes": minutes}, 429
    if refused.code == "weak_password":
        return passwords.weak(refused), 422
    if refused.code == "copies_unavailable":
        return NOT_NOW, 503
    return SENTENCES.get(refused.code, gettext("That was refused. Nothing was changed.")), 422


def put(form: forms.Form, field: str | None, refused: Refused) -> int:
    """Put the words for a refusal into a form; gives the page's status."""
    text, status = sentence(refused)
    form.add_error(field if field in form.fields and status == 422 else None, str(text))
    return status


def away(form: forms.Form) -> int:
    """The keeper does not answer."""
    form.add_error(None, str(AWAY))
    return 503
