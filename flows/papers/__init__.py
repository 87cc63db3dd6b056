"""Every generated document."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "every",
    "templates",
)
