"""The published files kept up to date: fetched, checked, compared with the last version, stored, told of."""
