"""The public record: what DfE, Ofsted, MHCLG and others publish, read as downloaded, by layout."""

from models.record.read import PublicRecord, read_record, read_reports

__all__ = ["PublicRecord", "read_record", "read_reports"]
