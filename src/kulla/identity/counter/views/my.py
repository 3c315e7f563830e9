"""What a person sees of the counter on my page: the PIN, and who acted with them where."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kulla.identity.counter import refusals
from kulla.identity.counter.forms import OwnPinForm
from kulla.identity.counter.words import WAYS, WHAT
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: Request) -> HttpResponse:
    """The PIN can be set and removed; visits are listed, the newest first."""
    keeper, token = door.keeper(), request.token or ""
    mine = keeper.my_counter(token)
    form = OwnPinForm(with_password=mine.has_password)
    if request.method == "POST" and "remove" in request.POST:
        keeper.counter_pin_remove(token)
        return HttpResponseRedirect(f"{reverse('my-counter')}?removed")
    if request.method == "POST":
        form = OwnPinForm(request.POST, with_password=mine.has_password)
        if form.is_valid():
            try:
                keeper.counter_pin_set(token, form.cleaned_data.get("password", ""), form.cleaned_data["pin"])
                return HttpResponseRedirect(f"{reverse('my-counter')}?set")
            except Refused as refused:
                form.add_error("password" if refused.code == "wrong" else "pin", refusals.sentence(refused))
    context = {"mine": mine, "form": form, "ways": WAYS, "whats": WHAT}
    context |= {"set": "set" in request.GET, "removed": "removed" in request.GET}
    return render(request, "counter/my.html", context, status=422 if form.errors else 200)
