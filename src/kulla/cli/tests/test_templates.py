"""What a deployment writes for the keeper."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from kulla.cli.django_home import write_templates

if TYPE_CHECKING:
    from kulla.cli.home import Home


def test_the_keeper_is_told_scope_and_rule_at_deployment(tmp_path: Path) -> None:
    """Beside the notices, in files of the keeper's home; nothing of it comes from a call."""
    home = SimpleNamespace(keeper=tmp_path)
    write_templates(cast("Home", home))
    rules = json.loads((tmp_path / "services.json").read_text())
    assert rules["appointments"]["scope"] == "health"
    assert set(rules["appointments"]["guardians_rule"]) == {"sq", "en"}
    assert "appointments" in json.loads((tmp_path / "templates.json").read_text())
