"""DfE's published workforce file as a set of returns."""
