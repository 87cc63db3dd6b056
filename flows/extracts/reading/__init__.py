"""Turns bytes into a table of text, and text into typed cells."""
