"""Words for what two administrators decide about accounts."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.identity.accounts import words

Text = str | Promise

KINDS: Mapping[str, Text] = {"official_recovery": _("Give an official access again")}
LABELS: Mapping[str, Text] = {"document": _("Document that was shown")}
VALUES: Mapping[str, Mapping[str, Text]] = {"document": words.DOCUMENTS}
