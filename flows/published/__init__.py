"""Keeps the published files up to date: fetches, checks and stores them, and says what changed."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "api",
    "download",
    "due",
    "find",
    "outcome",
    "refresh",
    "shelf",
)
