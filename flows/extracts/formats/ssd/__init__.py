"""The Standard Safeguarding Dataset (SSD): a folder of tables becomes the `caseload` extract of a month."""
