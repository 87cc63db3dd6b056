"""Reads Ofsted's Annex A workbook as it is: the child-level lists of an inspection become the caseload extract.

`layout` has the names of the lists and their columns, `sheets` finds them in a workbook, `lists` reads
their cells, `episodes` joins them to one row per child's episode, and `reader` puts it all together and
reports what is missing. docs/annex-a.md says what is read, what is dropped and how it differs from our own extract.
"""
