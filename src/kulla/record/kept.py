"""The base of kept tables: rows that live in the journal too and change only inside `record.entry`."""

from typing import Any, ClassVar
from uuid import UUID

from django.core import checks
from django.db import connection, models

from kulla.journal.ids import uuid7

# Field classes whose values have one canonical form on both engines (see images.py). Money is integer minor
# units and durations are integers with their unit in the name, so neither decimals nor floats are here.
SUPPORTED = frozenset(
    """UUIDField CharField TextField SlugField BooleanField IntegerField BigIntegerField SmallIntegerField
    PositiveIntegerField PositiveBigIntegerField PositiveSmallIntegerField DateTimeField DateField TimeField
    BinaryField JSONField ForeignKey OneToOneField""".split()  # noqa: SIM905
)


class RevField(models.BigIntegerField):  # type: ignore[type-arg]  # has no [] at run time
    """How often the row was written: 1 at its insert, then raised by the database's trigger, never by Python."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """1 for a new row, also when the instance was copied from another one."""
        if add:
            setattr(model_instance, self.attname, 1)
        return super().pre_save(model_instance, add)


class Kept(models.Model):
    """A row of which every change is one image in an entry.

    `home` is the person's pseudonym or the office that the row lives with. Raise `schema_version` with each
    migration that changes the table's columns and add an upcaster (see upcasters.py).
    Many-to-many relations between kept tables need an explicit kept `through` model.
    """

    schema_version: ClassVar[int] = 1

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    home = models.UUIDField(editable=False)
    rev = RevField(default=1, db_default=1, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse columns that have no canonical form, and many-to-many tables that nobody would keep."""
        found: list[checks.CheckMessage] = list(super().check(**kwargs))
        for field in cls._meta.concrete_fields:
            kind = field.get_internal_type()
            if kind not in SUPPORTED or field.generated:
                found.append(
                    checks.Error(
                        f"{cls._meta.label}.{field.name}: a kept table cannot hold a {kind}.",
                        hint="Use integers in the smallest unit, text, times, UUIDs, bytes or JSON.",
                        id="record.E001",
                    )
                )
        for many in cls._meta.local_many_to_many:
            through = many.remote_field.through
            if through is None or not issubclass(through, Kept):
                found.append(
                    checks.Error(
                        f"{cls._meta.label}.{many.name}: name a kept `through` model.", id="record.E002"
                    )
                )
        if cls._meta.pk.name != "id" or len(cls._meta.parents):
            found.append(
                checks.Error(
                    f"{cls._meta.label} must have `id` as its key and no parent table.", id="record.E003"
                )
            )
        return found


def as_uuid(value: object) -> UUID:
    """A UUID from what a database driver gives: UUID (PostgreSQL) or its hex text (SQLite)."""
    return value if isinstance(value, UUID) else UUID(str(value))


def db_uuids(*values: UUID | None) -> list[Any]:
    """UUIDs as this engine's driver takes them in plain SQL: Django stores 32 hex digits on SQLite."""
    if connection.vendor == "sqlite":
        return [value.hex if value else None for value in values]
    return list(values)
