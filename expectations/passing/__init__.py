"""Asking the rules: static and dynamic passes through Great Expectations, and their effects."""
