"""A report as a list of blocks, written once and rendered as Markdown (also printed in the terminal) or as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class ReportBullets:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its header and its rows, all as text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """Inline SVG, shown on the page only; a table beside it gives the figures it shows."""

    caption: str
    svg: str


ReportBlock = Heading | Text | ReportBullets | Grid | ReportPicture


def markdown(title: str, blocks: Sequence[ReportBlock]) -> str:
    """The report as Markdown, ending in a newline."""
    parts = [f"# {title}"]
    for block in blocks:
        match block:
            case Heading(text, depth):
                parts.append(f"{'#' * depth} {text}")
            case Text(text):
                parts.append(text)
            case ReportBullets(items):
                parts.append("\n".join(f"- {item}" for item in items))
            case Grid(head, rows):
                lines = [head, ("---",) * len(head), *rows]
                parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
            case ReportPicture():
                continue
    return "\n\n".join(part for part in parts if part) + "\n"


def html(title: str, blocks: Sequence[ReportBlock]) -> str:
    """The report as one self-contained page; nothing is loaded from elsewhere."""
    parts = [f"<h1>{escape(title)}</h1>"]
    for block in blocks:
        match block:
            case Heading(text, depth):
                parts.append(f"<h{depth}>{escape(text)}</h{depth}>")
            case Text(text):
                parts.append(f"<p>{escape(text)}</p>")
            case ReportBullets(items):
                parts.append("<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>")
            case Grid(head, rows):
                top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
                body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
                parts.append(
                    f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
                )
            case ReportPicture(caption, svg):
                parts.append(f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>")
    start = (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    )
    return str(start + "\n".join(parts) + "</body></html>\n")


_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#222}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}"
    "th,td{border-bottom:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "figure{margin:1rem 0;max-width:30rem}svg{width:100%;height:auto}"
)
