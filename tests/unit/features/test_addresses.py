"""Which e-mail addresses are taken: one plain address, no longer than mail allows."""

from __future__ import annotations

import pytest

from features.addresses import is_plain_address

LABEL = "a" * 63
#: 64 before the @, and 254 in all.
LONGEST = f"{'b' * 64}@{LABEL}.{LABEL}.{'c' * 58}.uk"


@pytest.mark.parametrize(
    "text",
    ["director@ashcombe.gov.uk", "a.b+c%d_e-f'g@x.example", "1@2.uk", f"x@{LABEL}.uk", f"{'b' * 64}@x.uk", LONGEST],
)
def test_a_plain_address_is_taken(text: str) -> None:
    assert len(LONGEST) == 254
    assert is_plain_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "director",
        "director@",
        "director@ashcombe",
        "@ashcombe.gov.uk",
        "a@b@c.uk",
        " a@b.uk",
        "a@b.uk\n",
        "Ada <a@b.uk>",
        "a@b.uk, c@d.uk",
        ".a@b.uk",
        "a.@b.uk",
        "a..b@c.uk",
        "-a@b.uk",
        "a@-b.uk",
        "a@b-.uk",
        "a@b..uk",
        'a"b@c.uk',
        f"x@{LABEL}a.uk",
        f"{'b' * 65}@x.uk",
        LONGEST.replace(".uk", "d.uk"),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_plain_address(text)
