"""The rules of the return: each is one small function, grouped by collection year (`years.py`)."""
