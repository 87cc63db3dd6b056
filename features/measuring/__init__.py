"""From counts to measures, by DfE's formulas."""
