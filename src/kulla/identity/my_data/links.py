"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from kulla.identity.areas import Link

MY: list[Link] = []
STAFF: Mapping[str, list[Link]] = {}
