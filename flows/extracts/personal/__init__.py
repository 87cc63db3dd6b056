"""Searches a council's file for personal data: in headers, values, and every part of a workbook."""
