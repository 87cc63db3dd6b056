"""A measure beside its own past, its statistical neighbours and England."""
