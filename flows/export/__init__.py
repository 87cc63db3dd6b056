"""Exports the group's figures as tables for analysts: one set of files, with the same names each month."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = ("group",)
