"""One public page: hand in a receipt that the portal says it does not know."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from kulla.identity import policy
from kulla.identity.handing_in.forms import ReceiptForm
from kulla.journal.verify import ReceiptInvalid, Step
from kulla.record.errors import OutboxFull, ReadOnly
from kulla.record.handing_in import hand_in
from kulla.registry import access
from kulla.web import uploads

FAILED = {
    Step.POLICY: gettext_lazy(
        "This portal has no list of signers to check a receipt with. Tell the operator."
    ),
    Step.RECEIPT: gettext_lazy("This is not a whole receipt: something is missing, or was changed."),
    Step.CLAIMS: gettext_lazy("The words of this receipt were changed."),
    Step.JOURNAL: gettext_lazy("This receipt was not signed by this country’s journal."),
    Step.MIRRORS: gettext_lazy(
        "Too few mirrors have signed this receipt, or one of the signatures is false."
    ),
    Step.INCLUSION: gettext_lazy(
        "This receipt is not what the mirrors have signed: something in it was changed."
    ),
}


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
@uploads.takes_files
def page(request: HttpRequest) -> HttpResponse:
    """Check the receipt; if it holds and its fact is not known, keep it as work for the operator."""
    if request.method != "POST":
        return render(request, "handing_in/page.html", {"form": ReceiptForm()})
    form = ReceiptForm(request.POST, request.FILES)
    valid = form.is_valid()
    if uploads.too_large(request, "file"):
        form.add_error("file", _("The file is larger than 2 MB: that is no receipt"))
        valid = False
    if not valid:
        return render(request, "handing_in/page.html", {"form": form}, status=422)
    try:
        handed = hand_in(form.cleaned_data["receipt"], policy.text())
    except ReceiptInvalid as failed:
        form.add_error("file" if request.FILES else "text", str(FAILED[failed.step]))
        return render(request, "handing_in/page.html", {"form": form}, status=422)
    except (ReadOnly, OutboxFull):
        form.add_error(
            None, _("Nothing can be taken in at the moment. The receipt stays valid: try again later.")
        )
        return render(request, "handing_in/page.html", {"form": form}, status=503)
    return render(request, "handing_in/done.html", {"handed": handed})
