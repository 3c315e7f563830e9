"""The public pages of offices: the tree, and one office with its place and hours."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kulla.identity.offices import words
from kulla.identity.offices.forms import OfficeSearchForm
from kulla.identity.offices.tree import tree
from kulla.registry import access
from kulla.web.pages import paginate


@access.public
@require_safe
def offices(request: HttpRequest) -> HttpResponse:
    """The top of the tree, or the offices that match a search."""
    search = OfficeSearchForm({"q": request.GET.get("q", "")[:100]})
    search.is_valid()
    typed, all_offices = search.cleaned_data.get("q", ""), tree()
    top = all_offices.below(None)
    groups = [(office, all_offices.below(office.id)) for office in top]
    found = all_offices.search(typed) if typed else []
    context = {
        "search": search,
        "words": typed,
        "groups": groups,
        "page": paginate(found, request.GET.get("page")),
        "count": len(found),
        "tools": words,
    }
    return render(request, "offices/offices.html", context)


@access.public
@require_safe
def office(request: HttpRequest, office: UUID) -> HttpResponse:
    """One office: where, when, and what stands under it."""
    all_offices = tree()
    found = all_offices.by_id.get(office)
    if found is None:
        raise Http404
    below = paginate(all_offices.below(office), request.GET.get("page"))
    context = {"office": found, "above": all_offices.above(found), "page": below, "tools": words}
    return render(request, "offices/office.html", context)
