"""The form of e-mail address that Holdfast accepts.

The register and the mail writer use the same pattern, so every address the register accepts can be written to.
"""

from __future__ import annotations

import re

#: Deliberately narrower than RFC 5322: no quoting, no comments, nothing that the code writing mail headers would
#: refuse.
_WORD = r"[A-Za-z0-9_%+'-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[A-Za-z0-9]){_WORD}(?:\.{_WORD})*@(?:{_LABEL}\.)+{_LABEL}")
_LONGEST_LOCAL_PART, _LONGEST_ADDRESS = 64, 254

#: Amazon SES accepts no more than this in one message; another mail server may accept more or fewer.
MOST_RECIPIENTS = 50


def is_plain_address(text: str) -> bool:
    """Whether this is one plain address, with no name, spaces or anything else around it."""
    local = text.partition("@")[0]
    return len(local) <= _LONGEST_LOCAL_PART and len(text) <= _LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))
