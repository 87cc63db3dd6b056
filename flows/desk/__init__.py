"""Checks before sending, for officers without an installation: the try folder, and a local page."""

#: The modules that other rooms may import; the others are private.
DOOR = ("page", "past", "tried")
