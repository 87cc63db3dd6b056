"""Computes measures from counts, by DfE's formulas."""
