"""The text and pictures of a message."""
