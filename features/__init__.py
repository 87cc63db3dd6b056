"""Measures and features of a children's services workforce, frame in, frame out.

Nothing here reads a clock, a file or a network: the month is a parameter and every frame has a
declared schema, so that any number can be computed again years later and come out the same.
"""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "addresses",
    "comparing.context",
    "comparing.national",
    "comparing.panel",
    "comparing.shrinkage",
    "comparing.wide",
    "comparing.xmr",
    "councils",
    "counting.records",
    "errors",
    "frames",
    "measuring.inputs",
    "measuring.rates",
    "measuring.reconcile",
    "measuring.returns",
    "measuring.sight",
    "months",
    "private_files",
    "registry",
    "words",
)
