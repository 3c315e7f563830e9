"""What pyproject.toml cannot say: KULLA_BUILD=production leaves the demo out of the wheel."""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PRODUCTION = os.environ.get("KULLA_BUILD") == "production"
DEMO = Path("kulla") / "demo"


class Build(build_py):
    """Copies the packages; in a production build without kulla.demo, whatever earlier builds left behind."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if PRODUCTION:
            self.packages = [name for name in self.packages or [] if not f"{name}.".startswith("kulla.demo.")]

    def find_data_files(self, package: str, src_dir: str) -> list[str]:
        """Without the demo: a list of sources that an earlier build left would bring it in as data of `kulla`."""
        found = super().find_data_files(package, src_dir)
        return [file for file in found if not (PRODUCTION and Path(file).is_relative_to("src" / DEMO))]

    def run(self) -> None:
        if PRODUCTION and not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / DEMO, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": Build})
