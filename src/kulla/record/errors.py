"""What record refuses, and why. Every message is one plain English sentence for the log or a developer;
pages show their own words for AlreadyRecorded, OutboxFull and ReadOnly."""

from uuid import UUID


class RecordError(Exception):
    """Base of everything that record refuses. Raised itself for mistakes in the calling code."""


class AlreadyRecorded(RecordError):
    """An entry with this id exists: the same form was sent twice. Show the receipt of `uuid`."""

    def __init__(self, uuid: UUID) -> None:
        super().__init__(f"The entry {uuid} is recorded already.")
        self.uuid = uuid


class OutboxFull(RecordError):
    """Too many entries wait for the mirrors; nothing was written, the same form may be sent again later."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} entries wait for two mirrors to confirm them; new ones are refused.")
        self.waiting = waiting


class ReadOnly(RecordError):
    """No writes now; nothing was written. The message says why."""


class NotReceived(RecordError):
    """There is no receipt yet, or no such entry."""


class RebuildError(RecordError):
    """The mirrors' folders do not give a state that may be trusted; the message says what is wrong where."""
