"""From records to counts: one council, one month, whole numbers."""
