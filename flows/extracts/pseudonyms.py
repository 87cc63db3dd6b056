"""References to workers and cases, and names of teams, become keyed hashes before anything is stored.

The council's own reference never leaves the file it came in and the memory of the process that reads it. The hash has a
key, so that nobody without it can try out known numbers. It includes the council, so that equal references of two
councils do not match. It is the same for a worker in the workforce and in the caseload extract.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import polars as pl

from features.errors import SettingsError

#: Somebody could try out all shorter keys.
MINIMUM_KEY_BYTES = 32
_BYTES = 8
_TEAM_DIGITS = 8

#: For how many councils a process remembers references, and about how many for each: a council mostly sends the same
#: references every month.
_COUNCILS, _REFERENCES = 16, 50_000


def pseudonyms(references: pl.Series, *, la_code: str, key: bytes) -> pl.Series:
    """UInt64 of the keyed BLAKE2b of council and reference; null stays null.

    With 8 bytes, two of a million references of one council share a hash with a probability of 3 in
    a hundred million. Raises SettingsError if the key is shorter than 32 bytes.
    """
    start = _keyed(la_code, key).copy
    hashed = _remembered(la_code, key)
    if len(hashed) > _REFERENCES:
        # Make a new one and do not empty the old one: another thread may be using it.
        _remembered.cache_clear()
        hashed = _remembered(la_code, key)
    given = references.cast(pl.Binary()).to_list()
    new = list(set(given).difference(hashed))
    digests = []
    for reference in new:
        one = start()
        one.update(reference)
        digests.append(one.digest())
    numbers = np.frombuffer(b"".join(digests), dtype=">u8")
    hashed.update(zip(new, numbers.tolist(), strict=True))
    return pl.Series(references.name, list(map(hashed.__getitem__, given)), dtype=pl.UInt64())


def team_codes(teams: pl.Series, *, la_code: str, key: bytes) -> pl.Series:
    """A short code for each team, the same for the same team of a council; null stays null.

    Only which rows belong to the same team matters, not its name; and the column may hold a person's name.
    """
    given = teams.to_list()
    sent = [team for team in set(given) if team is not None]
    named = pl.Series(["team\x1f" + " ".join(team.lower().split()) for team in sent], dtype=pl.String())
    hashed = pseudonyms(named, la_code=la_code, key=key).to_list()
    codes = {team: f"{h:016x}"[:_TEAM_DIGITS] for team, h in zip(sent, hashed, strict=True)}
    return pl.Series(teams.name, list(map(codes.get, given)), dtype=pl.String())


@lru_cache(_COUNCILS)
def _remembered(la_code: str, key: bytes) -> dict[bytes | None, int | None]:
    """The remembered references of a council under a key. In memory only, while the process lives."""
    return {None: None}


def _keyed(la_code: str, key: bytes) -> blake2b:
    if len(key) < MINIMUM_KEY_BYTES:
        raise SettingsError(
            f"The pseudonym key has {len(key)} bytes and needs {MINIMUM_KEY_BYTES}. Set a long random one and keep it: "
            "with another key no worker can be followed from month to month."
        )
    whole = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
    return blake2b(f"{la_code}\x1f".encode(), key=whole, digest_size=_BYTES)
