"""`holdfast map`: which column of a home-made file is probably which field."""
