"""What an examination of the store found, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from flows.mail.notices import Notice

#: At most so many findings are named in a notice; `holdfast doctor` lists all.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One object that is damaged, missing or orphaned."""

    name: str
    what: str
    """A sentence that says how to restore it."""
    may_go: bool = False
    """Whether it is safe to set aside: it belongs to nothing, or a run makes it anew."""
    whole: str = ""
    """Prefix of the objects that are set aside with it: the rest of its edition."""
    laid_aside: str = ""
    """Where it was moved to."""
    restored_from: str = ""
    """The copy that was put back in its place."""

    @property
    def in_words(self) -> str:
        """The finding as text for a terminal or an e-mail."""
        if self.restored_from:
            return f"“{self.name}” in the store was missing or damaged; it was restored from {self.restored_from}."
        return f"{self.what} It was laid aside as {self.laid_aside}." if self.laid_aside else self.what

    @property
    def done(self) -> bool:
        """Whether a repair has seen to it."""
        return bool(self.laid_aside or self.restored_from)


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that one examination found."""

    objects: int
    findings: tuple[DoctorFinding, ...]

    @property
    def headline(self) -> str:
        if not self.findings:
            return f"All is in order: {self.objects} objects were read"
        left, laid = sum(not f.done for f in self.findings), sum(bool(f.laid_aside) for f in self.findings)
        restored = sum(bool(f.restored_from) for f in self.findings)
        done = f"; {restored} restored" if restored else ""
        done += f"; {laid} laid aside" if laid else ""
        return f"{left} of {self.objects} objects {'needs' if left == 1 else 'need'} a person{done}"

    def to_text(self) -> str:
        """The headline, then one line for each finding."""
        return "\n".join([f"{self.headline}.", *(f"  - {f.in_words}" for f in self.findings)])

    def to_json(self) -> str:
        """The same, for a program."""
        facts = {"objects": self.objects, "headline": self.headline, "findings": [asdict(f) for f in self.findings]}
        return json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)


def store_notice(found: Health) -> Notice:
    """The notice of what an examination found, and of what a repair has seen to."""
    open_ = any(not f.done for f in found.findings)
    more = len(found.findings) - _NAMED
    return Notice(
        "store-damaged",
        f"something in the store {'is' if open_ else 'was'} damaged, missing or left over",
        f"{found.headline}.",
        (
            *(f.in_words for f in found.findings[:_NAMED]),
            *([f"And {more} more."] if more > 0 else []),
            "`holdfast doctor` lists everything." if open_ else "Nothing: what was found has been seen to.",
        ),
    )
