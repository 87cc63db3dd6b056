"""Runs the rules: static and dynamic passes through Great Expectations, and what their errors do to the figures."""
