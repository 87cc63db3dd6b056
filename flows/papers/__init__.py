"""Generates documents from code."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "every",
    "templates",
)
