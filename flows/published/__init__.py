"""The published files kept up to date: fetched, checked, compared with the last version, stored, told of."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "api",
    "download",
    "due",
    "outcome",
    "refresh",
    "shelf",
)
