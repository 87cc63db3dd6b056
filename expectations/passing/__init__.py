"""Runs the rules: static and dynamic passes in Great Expectations' terms, and what their errors do to the figures."""
