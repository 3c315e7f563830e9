"""Draws the pages of this service: a template and the words that all of them use."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as django_render

from kulla.services.appointments import words

STYLE = Path(__file__).parent / "static" / "appointments" / "appointments.css"


def render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page; templates find `words` and the style sheet beside their own variables."""
    return django_render(
        request, template, {**context, "words": words, "stylesheet": stylesheet()}, status=status
    )


@cache
def stylesheet() -> str:
    """The address of our style sheet; it changes with its content, so that browsers may keep it."""
    mark = hashlib.sha256(STYLE.read_bytes()).hexdigest()[:12]
    return f"{settings.STATIC_URL}appointments/appointments.css?{mark}"
