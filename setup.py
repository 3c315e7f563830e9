"""What pyproject.toml cannot say: KULLA_BUILD=production leaves the demo out of the wheel."""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class Build(build_py):
    """Copies the packages; in a production build without kulla.demo, also where an earlier build left it."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if os.environ.get("KULLA_BUILD") == "production":
            self.packages = [name for name in self.packages or [] if not f"{name}.".startswith("kulla.demo.")]

    def run(self) -> None:
        if os.environ.get("KULLA_BUILD") == "production" and not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / "kulla" / "demo", ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": Build})
