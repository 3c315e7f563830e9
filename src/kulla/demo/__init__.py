"""The demo country: invented people on a real map, and the buttons that destroy and rob it for real.

In no production build (KULLA_BUILD=production leaves this package out of the wheel), and dead without
KULLA_DEMO=1. Nothing imports it: the supervisor and the settings find it by name when it is there.
"""
