"""From bytes to a table of text, and from text to typed cells."""
