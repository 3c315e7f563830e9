"""Answering an attacker's valid acts by compensating entries (`kulla undo`). Nothing is rewritten.

about.py    what an act is, and how a service says what answers it
actors.py   whose acts: from the words of the command to a test of one payload
scan.py     one pass over the journal: the acts, the rows they touched, and who touched them later
run.py      the answers, newest act first, each an entry of its own; or a rehearsal of the same
"""
