"""The rules, one module for each extract."""
