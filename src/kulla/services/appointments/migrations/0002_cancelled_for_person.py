"""A cancellation by who acts for the person is told apart. Choices only: no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("appointments", "0001_initial"),)
    operations = (
        migrations.AlterField(
            model_name="appointment",
            name="cancel_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("by_person", "cancelled by the person"),
                    ("for_person", "cancelled by someone who acts for the person"),
                    ("asked", "the person asked the office"),
                    ("away", "the practitioner is away"),
                    ("closed", "the office is closed"),
                ],
                max_length=10,
            ),
        ),
    )
