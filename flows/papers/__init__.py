"""Every generated document."""
