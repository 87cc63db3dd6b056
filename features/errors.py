"""The error tree. Every problem that a user can put right is raised as one of these and shown without a traceback.

Every message says what happened, where (council, month, file, row, column) and what to do. It never carries a value
from a worker's or a child's record. The exit code lets a scheduler tell the kinds apart without reading logs.
"""

from __future__ import annotations


class HoldfastError(Exception):
    """An error that a person can put right; its text is shown as it is, without a traceback."""

    exit_code = 10


class SettingsError(HoldfastError):
    """A setting is missing, unknown or contradicts another."""

    exit_code = 11


class ExtractError(HoldfastError):
    """A file from a council cannot be used; the file is at fault, not the run."""

    exit_code = 12


class UnreadableExtract(ExtractError):
    """The file is not a readable table: truncated, empty, wrong encoding or sheet, too large, a zip bomb."""


class HeaderMismatch(ExtractError):
    """Columns are missing, appear twice, or could each mean two things."""


class PersonalDataRefused(ExtractError):
    """The extract carries a column of personal data that Holdfast must not hold."""


class WrongCouncilOrMonth(ExtractError):
    """The content belongs to another council or month than its folder."""


class ReferenceDataError(HoldfastError):
    """The council register or a published reference file is missing or has changed its layout."""

    exit_code = 13


class ModelError(HoldfastError):
    """No usable model: missing, tampered with, from other library versions, or not fit for promotion."""

    exit_code = 14


class StoreError(HoldfastError):
    """The object store refused, lost or contradicted something."""

    exit_code = 15


class MailError(HoldfastError):
    """A message could not be handed to the mail transport."""

    exit_code = 16


class CheckFailed(HoldfastError):
    """`holdfast check` found errors in a file; the report says which."""

    exit_code = 20
