"""Checks of what councils send: is it legal, and is it plausible against that council's own past?

Rules and results are Great Expectations' own types; Polars works the results out (`engine.py`). Great Expectations is
imported for its pages alone, because importing it takes seconds. Nothing here writes, reads or prints a person's value.
"""

#: The modules that other rooms may import, besides the package itself; everything else is private to it.
DOOR = (
    "accepted",
    "batch",
    "fates",
    "findings",
    "passing.check",
    "passing.effects",
    "passing.engine",
    "passing.static_pass",
    "passing.together",
    "report.council",
    "report.data_docs",
    "report.terminal",
    "suites.between",
    "suites.generated",
    "suites.rules",
)
