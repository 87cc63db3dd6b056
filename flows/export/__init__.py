"""The group's figures as tables for analysts: one set of files, the same names each month."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "files",
    "tables",
)
