"""Codes that people copy from paper: Crockford's base32, without letters that look like digits.

https://www.crockford.com/base32.html: I and L are read as 1, O as 0; small letters, spaces and hyphens do not matter.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ = str.maketrans("ILO", "110")


def make(groups: int, size: int) -> str:
    """A random code as it is printed: `groups` of `size` characters, five bits each."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(size)) for _ in range(groups))


def read(text: str) -> str:
    """The characters of a code as it was typed; what cannot be one gives ""."""
    plain = "".join(each for each in text.upper() if each.isalnum()).translate(_READ)
    return plain if all(each in ALPHABET for each in plain) else ""
