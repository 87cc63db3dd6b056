"""Static pages for the data team: the region in one view, and the messages of an outbox."""
