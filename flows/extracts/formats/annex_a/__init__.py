"""Ofsted's Annex A workbook, read as it is: the child-level lists of an inspection become the caseload extract.

`layout` says what the lists and their columns are called, `sheets` finds them in a workbook, `lists` reads
their cells, `episodes` joins them to one row per child's episode, `reader` puts it together and says what
was not there. What is read, what is dropped and how it differs from our own extract: docs/annex-a.md.
"""
