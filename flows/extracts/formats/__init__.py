"""The formats that figures come in, one folder each."""
