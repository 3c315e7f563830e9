"""The in-process bell between a committed entry and the sequencer."""

import threading

committed = threading.Event()
