"""Draws the pages of this service: a template and the words that all of them use."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as django_render

from kulla.services.appointments import times, words


def render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page; templates find `words` and `times` beside their own variables."""
    return django_render(request, template, {**context, "words": words, "times": times}, status=status)
