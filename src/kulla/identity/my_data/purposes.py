"""Words for why somebody looked: the purposes of this area and of the keeper's own pages. See identity.names."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PURPOSES: Mapping[str, str | Promise] = {
    "day_list": _("list of the day’s appointments"),
    "my page": _("a page of your own"),
    "my data": _("a download of your own data"),
    "download": _("you downloaded what is held about you"),
    "correction": _("your request for a correction was opened"),
    "erasure request": _("your request for erasure was opened"),
    "needs": _("what helps you at the counter"),
    "assisted": _("acting for you in your presence"),
    "counter": _("you were at a counter"),
    "account desk": _("help with your account at a counter"),
}
