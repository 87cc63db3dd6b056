"""From a score to an alert a director can act on: decide, publish, render, send, and keep account of it."""
