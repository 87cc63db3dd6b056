"""What an e-mail address may look like, for the register that holds it and for the mail that is written to it.

One pattern for both: what the register takes, the writer of the message can write.
"""

from __future__ import annotations

import re

#: Deliberately narrower than RFC 5322: no quoting, no comments, nothing that the header's writer would refuse.
_WORD = r"[A-Za-z0-9_%+'-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[A-Za-z0-9]){_WORD}(?:\.{_WORD})*@(?:{_LABEL}\.)+{_LABEL}")
_LONGEST_LOCAL_PART, _LONGEST_ADDRESS = 64, 254

#: Amazon SES takes no more in one message; a server of one's own may take more, or fewer.
MOST_RECIPIENTS = 50


def is_plain_address(text: str) -> bool:
    """Whether this is one plain address, without a name, blanks or anything else around it."""
    local = text.partition("@")[0]
    return len(local) <= _LONGEST_LOCAL_PART and len(text) <= _LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))
