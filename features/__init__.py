"""Measures and features of a children's services workforce: pure functions from frames to frames.

Nothing here reads a clock, a file or a network. The month is a parameter and every frame has a declared schema, so any
number can be recomputed years later with the same result.
"""

#: The modules that other rooms may import, besides the package itself; everything else is private to it.
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
    "frameworks",
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
