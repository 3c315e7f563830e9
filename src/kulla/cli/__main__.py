"""`python -m kulla.cli`: the same as `kulla`, for processes that start processes."""

import sys

from kulla.cli import main

sys.exit(main())
