"""Turns records into counts: whole numbers for one council and one month."""
