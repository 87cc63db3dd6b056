"""Writes the index page of an outbox: every message with its subject, its addressees and a link to its preview."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from features.words import count_words
from flows.mail.transports.mime import parsed_message
from flows.store.port import Store

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class _Line:
    base: str
    subject: str
    to: str
    date: str
    size: int


def write_preview_index(outbox: Store) -> str:
    """Write `index.html` beside the messages of an outbox and return its name."""
    lines = [_line(o.name, outbox.read(o.name)) for o in outbox.list() if o.name.endswith(".eml")]
    lines.sort(key=lambda line: (line.date, f"{line.base}.eml"), reverse=True)
    outbox.replace(INDEX, _page(lines).encode(), content_type="text/html; charset=utf-8")
    return INDEX


def _line(name: str, content: bytes) -> _Line:
    message = parsed_message(content)
    date = f"{message['Date'].datetime:%Y-%m-%d %H:%M}"
    return _Line(name.removesuffix(".eml"), str(message["Subject"]), str(message["To"]), date, len(content))


def _page(lines: list[_Line]) -> str:
    items = "\n".join(
        f'<li><a href="{escape(line.base)}.html">{escape(line.subject)}</a>'
        f"<p>{escape(line.date)} · to {escape(line.to)} · {line.size / 1000:.0f} kB · "
        f'<a href="{escape(line.base)}.eml">.eml</a></p></li>'
        for line in lines
    )
    count = count_words(len(lines), "message", "messages")
    return f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Outbox: {count}</title>
<style>
body {{ font: 16px/1.5 -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }}
body {{ margin: 0 auto; padding: 16px; max-width: 760px; }}
ul {{ list-style: none; padding: 0; }}
li {{ padding: 12px 0; border-top: 1px solid #c9d1d8; overflow-wrap: anywhere; }}
p {{ margin: 2px 0 0; font-size: 14px; }}
</style>
</head>
<body>
<h1>Outbox</h1>
<p>{count}. Nothing in this folder has left the machine.</p>
<ul>
{items}
</ul>
</body>
</html>
"""
