"""Measures and features of a children's services workforce, frame in, frame out.

Nothing here reads a clock, a file or a network: the month is a parameter and every frame has a
declared schema, so that any number can be computed again years later and come out the same.
"""
