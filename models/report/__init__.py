"""Back-test and evaluation in words, tables and plots."""
