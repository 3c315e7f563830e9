"""What somebody hands in: the receipt's file, or its text."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.journal.errors import FormatError
from kulla.journal.pdf import attached_proof

LONGEST = 1_500_000  # characters; a receipt carries its fact, at most about a megabyte


class ReceiptForm(forms.Form):
    """A receipt as a PDF, a text file, or pasted. `cleaned_data["receipt"]` is its text."""

    file = forms.FileField(
        label=_("The receipt’s file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".pdf,.txt,.tlog-proof,application/pdf,text/plain"}),
        help_text=_("The PDF, or the text file whose name ends in .tlog-proof or .txt. At most 2 MB."),
    )
    text = forms.CharField(
        label=_("Or its text"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Everything in the text file, beginning with “c2sp.org/tlog-proof”"),
        error_messages={"max_length": _("That text is too long for a receipt")},
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two, as text."""
        given: dict[str, Any] = super().clean() or {}
        file, text = given.get("file"), (given.get("text") or "").strip()
        if self.errors:
            return given
        if file is None and not text:
            self.add_error("file", _("Choose the receipt’s file, or paste its text"))
        elif file is not None:
            self._read(file.read(), given)
        else:
            given["receipt"] = text.replace("\r\n", "\n") + "\n"
        return given

    def _read(self, data: bytes, given: dict[str, Any]) -> None:
        try:
            proof = attached_proof(data) if data.startswith(b"%PDF") else data
            given["receipt"] = proof.decode("utf-8")
        except FormatError:
            self.add_error(
                "file", _("This PDF carries no receipt. Choose the file as you got it, or the text file")
            )
        except UnicodeDecodeError:
            self.add_error("file", _("This file is no receipt. Choose the PDF, or the text file"))
