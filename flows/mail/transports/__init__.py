"""The transports that can send a message."""
