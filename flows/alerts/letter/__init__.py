"""The words and pictures of a message."""
