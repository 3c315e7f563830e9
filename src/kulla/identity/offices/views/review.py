"""The yearly review: of everyone in an office, whether the role is still needed."""

from uuid import UUID

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from kulla.identity import names
from kulla.identity.offices import words
from kulla.identity.offices.views.admin import officials_of
from kulla.identity.offices.views.asking import token, tried
from kulla.keeper_client.offices import Official
from kulla.registry import access, door
from kulla.registry.access import Request

_CHOICES = [("keep", _("Still needed")), ("end", _("End it now"))]


class ReviewForm(forms.Form):
    """One answer for each role."""

    def __init__(self, *args: object, officials: list[Official]) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.officials = officials
        for official in officials:
            self.fields[_name(official)] = forms.ChoiceField(
                label=f"{official.name}, {names.ROLES.get(official.role, official.role)}",
                choices=_CHOICES,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Answer for %(name)s") % {"name": official.name},
                    "invalid_choice": _("Choose one of these"),
                },
            )

    def answers(self, answer: str) -> list[UUID]:
        """The roles that were answered so."""
        return [each.id for each in self.officials if self.cleaned_data[_name(each)] == answer]


def _name(official: Official) -> str:
    return f"role-{official.id.hex}"


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: Request, office: UUID) -> HttpResponse:
    """Ask for each role but one's own, and keep the answers."""
    found = officials_of(request, office)
    others = [official for official in found.officials if not official.own]
    form = ReviewForm(request.POST if request.method == "POST" else None, officials=others)
    if form.is_bound and form.is_valid():
        keep, end = form.answers("keep"), form.answers("end")
        good, _gave = tried(form, lambda: door.keeper().office_review(token(request), office, keep, end))
        if good:
            return HttpResponseRedirect(f"{reverse('office-admin', args=[office])}?done=reviewed")
    own = any(official.own for official in found.officials)
    context = {"office": found.office, "form": form, "own": own, "found": found, "tools": words}
    context["lines"] = [(official, form[_name(official)]) for official in others]
    return render(request, "offices/review.html", context, status=422 if form.errors else 200)
