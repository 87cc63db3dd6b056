"""`holdfast map`: proposes which column of a home-made file is which field."""
