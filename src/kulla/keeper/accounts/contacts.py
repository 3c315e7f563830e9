"""Telephone numbers and e-mail addresses in one form each, and how they are shown without being told."""

import re
import unicodedata

from kulla.keeper.errors import Refusal

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164: a plus and at most 15 digits
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
COUNTRY = "+355"


def phone(text: str) -> str:
    """A telephone number in E.164. A number that begins with one 0 is one of Albania.

    Raises Refusal("bad_contact").
    """
    digits = re.sub(r"[\s()./-]", "", unicodedata.normalize("NFKC", text))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = COUNTRY + digits[1:]
    if not _PHONE.fullmatch(digits):
        raise Refusal("bad_contact", "This does not have the form of a telephone number.")
    return digits


def email(text: str) -> str:
    """An e-mail address. Raises Refusal("bad_contact")."""
    address = unicodedata.normalize("NFC", text).strip()
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode().lower()  # ë in a domain
    except UnicodeError as error:
        raise Refusal("bad_contact", "This does not have the form of an e-mail address.") from error
    address = f"{local}@{domain}"
    if not _EMAIL.fullmatch(address) or ".." in address:
        raise Refusal("bad_contact", "This does not have the form of an e-mail address.")
    return address


def stored_phone(text: str) -> str:
    """A number of the register in E.164; "" when it has none that can be reached."""
    try:
        return phone(text) if text else ""
    except Refusal:
        return ""


def hint(address: str) -> str:
    """So much of an address that its owner knows it and a stranger does not: "… 45", "a…@mail.al"."""
    if "@" in address:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}…@{domain}"
    return f"… {address[-2:]}" if address else ""
