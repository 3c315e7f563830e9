"""What a sign-in was proven with, and how strong that is.

A session's `factor` is one of these words. Two things are strong: a password with the code of a phone, and a passkey
whose device checked its owner (finger, face or PIN): it counts as both. A passkey without that check shows that the
device is there and no more, so it is as good as a password alone.
"""

PASSWORD = "password"  # noqa: S105
CODE = "password+code"
PASSKEY = "passkey"  # the device checked its owner
TOUCH = "passkey-touch"  # it did not
LETTER = "letter"  # activation or recovery: a code to the phone on record, or a letter from an office
DESK = "desk"  # proven at the counter

NONE, WEAK, STRONG = 0, 1, 2
_STRENGTH = {CODE: STRONG, PASSKEY: STRONG, PASSWORD: WEAK, TOUCH: WEAK, LETTER: WEAK, DESK: WEAK}


def strength(factor: str) -> int:
    """NONE, WEAK or STRONG."""
    return _STRENGTH.get(factor, NONE)
