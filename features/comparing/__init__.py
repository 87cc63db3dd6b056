"""Compares each measure with the council's own past, its statistical neighbours and England."""
