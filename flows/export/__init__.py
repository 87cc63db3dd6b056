"""The group's figures as tables for analysts: one set of files, the same names each month."""
