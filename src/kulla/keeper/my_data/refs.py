"""Names of looks for the person who reads them: nobody can guess another's, and none tells how many there are.

A look's number counts all looks of the country, so it must not reach a page. Its name is the number as one AES block
under a key of this reader; a name of somebody else's, or an invented one, does not open to a number.
"""

from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kulla.keeper.keys import expand

_ZEROS = bytes(8)


class Refs:
    """Names looks for readers."""

    def __init__(self, key: bytes) -> None:
        """`key`: a system key (32 bytes)."""
        self._key = key

    def give(self, reader: UUID, seq: int) -> UUID:
        """The name of look number `seq` for this reader."""
        encryptor = self._cipher(reader).encryptor()
        return UUID(bytes=encryptor.update(seq.to_bytes(8) + _ZEROS) + encryptor.finalize())

    def read(self, reader: UUID, ref: UUID) -> int | None:
        """The number, or None for a name that was not given to this reader."""
        decryptor = self._cipher(reader).decryptor()
        block = decryptor.update(ref.bytes) + decryptor.finalize()
        return int.from_bytes(block[:8]) if block[8:] == _ZEROS else None

    def _cipher(self, reader: UUID) -> "Cipher[modes.ECB]":
        # One block of distinct numbers under a key of its own: ECB is the bare permutation that is wanted here.
        return Cipher(algorithms.AES(expand(self._key, f"look refs {reader}")), modes.ECB())  # noqa: S305
