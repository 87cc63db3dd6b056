"""Checks of an extract: is it legal (static), is it plausible against its own past (dynamic)?"""
