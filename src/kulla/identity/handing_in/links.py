"""This area is linked from the page on checking receipts, and from nowhere else."""

from collections.abc import Mapping

from kulla.identity.areas import Link

MY: list[Link] = []
STAFF: Mapping[str, list[Link]] = {}
