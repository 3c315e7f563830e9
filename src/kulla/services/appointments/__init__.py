"""Medical appointments: a citizen books a time, a reception keeps its day. The first service of the house.

Read in this order: `service` (what it declares), `models`, `times` (wall time and instants), `queries` (what is
free, who may see what), `booking` (the one statement that books), `actions` (every write), then the pages:
`views` for citizens, `reception` for offices.
"""
