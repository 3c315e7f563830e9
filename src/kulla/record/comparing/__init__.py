"""Comparing the tables with the journal, piece by piece, while the portal goes on (`kulla rebuild --compare`).

expected.py   what the journal says of every row, in a scratch file that survives an interruption
pace.py       working at a bounded load
whole.py      a table as a whole: missing, another, without its triggers
pieces.py     going through tables and list of entries; what looks different is only suspected
verdict.py    looking at each suspect again, at one moment, with the entry that says otherwise
    copies.py     the mirrors' copies beside the portal's own journal
"""
