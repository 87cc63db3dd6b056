"""What a council is told about its files, and the month's Data Docs."""
