"""In-process bells: they save waiting, and nothing depends on them."""

import threading

committed = threading.Event()  # an entry was committed: the sequencer may look
received = threading.Event()  # entries were received: their effects may run
