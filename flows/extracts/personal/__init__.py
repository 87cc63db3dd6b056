"""The search for personal data in a file that a council sent: in headers, values, and every place of a workbook."""
