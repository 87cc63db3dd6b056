"""The rules, one module an extract."""
