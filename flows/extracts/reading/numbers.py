"""Reads numbers as people and spreadsheets write them, exactly: text becomes parts without any float."""

from __future__ import annotations

import polars as pl

#: More digits than any count or figure has, and few enough for an Int64 of parts.
_MOST_DIGITS = 12

# The digits are spelt out, because \d in these expressions would also match the digits of other scripts.
_WHOLE = r"^[+-]?[0-9]+(?:\.0*)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
_DECIMAL = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$"
#: A comma with one or two digits behind it is no thousands mark.
_DECIMAL_COMMA = r"^[+-]?[0-9]+,[0-9]{1,2}$|^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+$"
_COMMA = r"^[+-]?[0-9]+(?:,[0-9]+)+$"


def read_integers(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Int64 and problems. `5`, `5.0` and `1,234` are whole numbers; `12.5` and `1e3` are not."""
    plain = _ungrouped(text)
    frame = pl.DataFrame({"t": plain}).select(
        value=pl.when(pl.col("t").str.contains(_WHOLE)).then(
            pl.col("t").str.replace(r"\.0*$", "").str.strip_prefix("+")
        ),
        problem=pl.when(pl.col("t").str.contains(_WHOLE).not_())
        .then(
            pl.when(pl.col("t").str.contains(_DECIMAL))
            .then(pl.lit("not_a_whole_number"))
            .when(pl.col("t").str.contains(_COMMA))
            .then(pl.lit("ambiguous_comma"))
            .otherwise(pl.lit("not_a_number"))
        )
        .when(pl.col("t").str.replace(r"\.0*$", "").str.len_bytes() > _MOST_DIGITS)
        .then(pl.lit("number_out_of_range")),
    )
    value = pl.when(pl.col("problem").is_null()).then(pl.col("value")).cast(pl.Int64)
    return frame.select(value).to_series().alias(text.name), frame["problem"].alias(text.name)


def read_decimals(text: pl.Series, decimals: int) -> tuple[pl.Series, pl.Series]:
    """Int64 of `10 ** decimals` parts, rounded half to even, and problems.

    A comma alone may be a decimal mark or a thousands mark, so `1,234` is refused and `1,234.5` is not. Where every
    comma of a column can only be a decimal mark (`0,8`), it is read as one.
    """
    commas = text.str.contains(",", literal=True).fill_null(False)
    if commas.any() and text.filter(commas).str.contains(_DECIMAL_COMMA).all():
        written = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        text = written.zip_with(commas, text)
    grouped = text.str.contains(_GROUPED).fill_null(False) & text.str.contains(".", literal=True)
    plain = text.str.replace_all(",", "", literal=True).zip_with(grouped, text) if grouped.any() else text
    frame = pl.DataFrame({"t": plain}).with_columns(
        problem=pl.when(pl.col("t").str.contains(_DECIMAL).not_())
        .then(
            pl.when(pl.col("t").str.contains(_COMMA)).then(pl.lit("ambiguous_comma")).otherwise(pl.lit("not_a_number"))
        )
        .when(pl.col("t").str.extract(r"^[+-]?0*([0-9]*)").str.len_bytes() > _MOST_DIGITS)
        .then(pl.lit("number_out_of_range"))
    )
    readable = pl.when(pl.col("problem").is_null())
    whole = pl.col("t").str.extract(r"^[+-]?([0-9]*)")
    fraction = pl.col("t").str.extract(r"\.([0-9]*)$").fill_null("")
    parts = frame.select(
        units=readable.then(whole + fraction.str.slice(0, decimals).str.pad_end(decimals, "0"))
        .str.replace(r"^$", "0")
        .cast(pl.Int64),
        next=fraction.str.slice(decimals, 1),
        rest=fraction.str.slice(decimals + 1).str.contains("[1-9]"),
        negative=pl.col("t").str.starts_with("-"),
    )
    up = (pl.col("next") > "5") | ((pl.col("next") == "5") & (pl.col("rest") | (pl.col("units") % 2 == 1)))
    rounded = pl.col("units") + up.cast(pl.Int64)
    value = pl.when(pl.col("negative")).then(-rounded).otherwise(rounded)
    return parts.select(value.alias(text.name)).to_series(), frame["problem"].alias(text.name)


def _ungrouped(text: pl.Series) -> pl.Series:
    """Whole numbers without their thousands marks."""
    grouped = text.str.contains(_GROUPED).fill_null(False)
    return text.str.replace_all(",", "", literal=True).zip_with(grouped, text) if grouped.any() else text
