"""The rules of the return: one small function each, in sets by collection year (`years.py`)."""
