"""Checks of what councils send: is it legal, is it plausible against that council's own past?

Great Expectations holds the suites; it is imported only when a check runs (`engine.py`), because
importing it takes seconds. Nothing here writes, reads or prints a person's value.
"""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "accepted",
    "batch",
    "fates",
    "findings",
    "passing.check",
    "passing.doubt",
    "passing.effects",
    "passing.engine",
    "report.council",
    "report.data_docs",
    "suites.between",
)
