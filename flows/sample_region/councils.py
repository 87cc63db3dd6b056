"""The made-up councils: their names and sizes, what happens to them, and how they send their files.

Every name, code and region is invented; codes begin with a letter, unlike real ones. Mail addresses are at `.example`,
to which no mail system delivers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np

from features.councils import Council, Register
from features.errors import HoldfastError
from features.frameworks import Judgement
from features.months import Month
from flows.sample_region.storylines import Story, Storyline

DEMO_COUNCILS = 12
#: Its councils are nearer to the median than England's, so that what happens to them is easy to see.
_DEMONSTRATION_SPREAD = 0.4
#: In a generic region, the shares of councils that drift at some time in the generated months, that are recovering when
#: the region begins, and that have one unlucky quarter.
DRIFTING_SHARE, RECOVERING_SHARE, BAD_LUCK_SHARE = 0.15, 0.05, 0.05
#: The median of FTE in post per council, and the spread of its logarithm (data-standards, section 10).
MEDIAN_INPOST_FTE, SD_LOG_INPOST_FTE = 201.0, 0.52

#: Generic regions larger than this are written as Parquet, a tenth of the size of CSV.
_CSV_UP_TO = 40

_STEMS = (
    *("Sorrel", "Quarren", "Fennick", "Hasker", "Thessel", "Pellin", "Vellan", "Orrin", "Brindel", "Culver"),
    *("Eddark", "Wexen", "Tarn", "Dunmar", "Ruddle", "Skeld", "Trevan", "Lanrick", "Morvel", "Cawder"),
)
_ENDINGS = ("mere", "dale", "stow", "wold", "march", "combe", "hithe", "sea")
_REGIONS = ("Westerlow", "Midmarch", "Eastfold")
_TYPES = ("Unitary authority", "Metropolitan district", "County council")
_GOOD, _REQUIRES, _INADEQUATE = "Good", "Requires improvement to be good", "Inadequate"


class SampleForm(StrEnum):
    """How a council writes its files."""

    CSV = "CSV in UTF-8 with the contract's headers and ISO dates"
    CSV_BOM = "CSV in UTF-8 with a byte order mark and the headers of DfE's census"
    CSV_CP1252 = "CSV in Windows-1252 with synonyms as headers and UK dates"
    PARQUET = "Parquet"
    EXCEL = "Excel for the workers, CSV for the rest"


class Trouble(StrEnum):
    """The fault, if any, in the files that a council sends for the last month."""

    NONE = "nothing"
    LATE = "the last month comes after its due date"
    BROKEN = "the last month's workforce file is damaged"
    RESTATED = "an earlier month's workforce file is sent again, corrected"
    PERSONAL_DATA = "the last month's caseload file carries dates of birth"


@dataclass(frozen=True, slots=True)
class MadeUpCouncil:
    """A council of the register, with facts that only its maker knows."""

    council: Council
    inpost_fte: float
    story: Story = Story()
    form: SampleForm = SampleForm.CSV
    trouble: Trouble = Trouble.NONE
    spread: float = 1.0
    """How far its own levels may be from the median: 1 as in England, less for a clear example."""
    zero_fte_for_leavers: bool = False
    """Whether it writes a leaver's FTE as 0, as DfE's census asks, instead of the last FTE."""

    @property
    def la_code(self) -> str:
        return self.council.la_code


@dataclass(frozen=True, slots=True)
class Region:
    """The councils in order of code, and the months that have extracts."""

    councils: tuple[MadeUpCouncil, ...]
    first: Month
    last: Month
    seed: int

    @property
    def months(self) -> int:
        return self.last.minus(self.first) + 1

    @property
    def register(self) -> Register:
        return Register(tuple(c.council for c in self.councils))


def region(councils: int, months: int, seed: int, last_month: Month) -> Region:
    """The made-up region of that size: twelve councils are the demonstration, with its storylines.

    Raises HoldfastError if the size is out of reach.
    """
    if not 1 <= councils <= len(_STEMS) * len(_ENDINGS):
        raise HoldfastError(
            f"A made-up region has 1 to {len(_STEMS) * len(_ENDINGS)} councils, not {councils}; England has 153."
        )
    if not 1 <= months <= 240:
        raise HoldfastError(f"A made-up region has 1 to 240 months, not {months}.")
    first = last_month.plus(1 - months)
    rng = np.random.default_rng([seed, 1])
    made = _demonstration(last_month) if councils == DEMO_COUNCILS else _generic(councils, first, last_month, rng)
    made = sorted(made, key=lambda c: c.la_code)
    return Region(tuple(_with_context(made, rng)), first, last_month, seed)


def _council(code: str, name: str, number: int, judgements: tuple[Judgement, ...]) -> Council:
    domain = "".join(ch for ch in name.lower().replace(" and ", "-") if ch.isalnum() or ch == "-")
    return Council(
        la_code=code,
        name=name,
        valid_from=Month(2009, 4),
        region=_REGIONS[number % len(_REGIONS)],
        council_type=_TYPES[number % len(_TYPES)],
        judgements=judgements,
        director=f"Director of Children’s Services, {name}",
        recipients=(f"dcs@{domain}.example",),
        data_officer=f"data@{domain}.example",
    )


def _judged(last: Month, months_before: int, grade: str) -> Judgement:
    month = last.plus(-months_before)
    return Judgement(date(month.year, month.number, 14), grade)


def _demonstration(last: Month) -> list[MadeUpCouncil]:
    """Twelve councils, one for each situation that a data team meets; their judgements are counted in months before the
    last."""
    steady = Story()

    def made(
        code: str,
        name: str,
        fte: float,
        *judgements: tuple[int, str],
        story: Story = steady,
        form: SampleForm = SampleForm.CSV,
        trouble: Trouble = Trouble.NONE,
        zero_fte: bool = False,
    ) -> MadeUpCouncil:
        published = tuple(_judged(last, ago, grade) for ago, grade in judgements)
        council = _council(code, name, int(code[1:3]), published)
        return MadeUpCouncil(council, fte, story, form, trouble, _DEMONSTRATION_SPREAD, zero_fte)

    def drifting(months_ago: int, months_per_stage: int) -> Story:
        return Story(Storyline.DRIFTING, last.plus(-months_ago), months_per_stage)

    recovering = Story(Storyline.RECOVERING, last.plus(-52), 6, judged=last.plus(-26))
    unlucky = Story(Storyline.BAD_LUCK, unlucky_from=last.plus(-3))
    return [
        made("Z01", "Sorrelmere", 190, (31, _GOOD)),
        made("Z02", "Quarrendale", 165, (40, _GOOD), story=drifting(17, 4), form=SampleForm.CSV_BOM),
        made("Z03", "Fennickstow", 90, (22, "Outstanding"), form=SampleForm.EXCEL),
        made("Z04", "Haskerwold", 210, (47, _REQUIRES), story=drifting(13, 6)),
        made("Z05", "Thesselmarch", 145, (52, _GOOD), story=drifting(9, 8), form=SampleForm.CSV_CP1252),
        made("Z06", "Pellincombe", 235, (71, _REQUIRES), (26, _INADEQUATE), story=recovering, form=SampleForm.PARQUET),
        made("Z07 / Z08", "Orrinsea and Brindelhithe", 155, (36, _GOOD), zero_fte=True),
        made("Z09", "Vellandale", 125, (44, _GOOD), story=unlucky),
        made("Z10", "Culverstow", 175, (19, _REQUIRES), trouble=Trouble.LATE),
        made("Z11", "Eddarkwold", 200, (58, _GOOD), trouble=Trouble.BROKEN),
        made("Z12", "Wexencombe", 115, (27, _GOOD), trouble=Trouble.RESTATED),
        made("Z13", "Tarnhithe", 180, (33, _REQUIRES), trouble=Trouble.PERSONAL_DATA),
    ]


def _generic(councils: int, first: Month, last: Month, rng: np.random.Generator) -> list[MadeUpCouncil]:
    """Councils of England's sizes; a documented share of them drifts, recovers or has bad luck."""
    names = [stem + ending for ending in _ENDINGS for stem in _STEMS]
    months = last.minus(first) + 1
    size = MEDIAN_INPOST_FTE * np.exp(SD_LOG_INPOST_FTE * rng.standard_normal(councils))
    fates = rng.random(councils)
    out = []
    for number in range(councils):
        story, judgements = _story(float(fates[number]), first, months, rng)
        ago = int(rng.integers(10, 55))
        if not judgements:
            grade = str(rng.choice([_GOOD, _GOOD, _REQUIRES, "Outstanding"]))
            judgements = (_judged(last, ago, grade),)
        code = f"{'ZYX'[number // 99]}{number % 99 + 1:02d}"
        out.append(
            MadeUpCouncil(
                _council(code, names[number], number, judgements),
                float(np.clip(size[number], 60.0, 720.0)),
                story,
                SampleForm.CSV if councils <= _CSV_UP_TO else SampleForm.PARQUET,
                zero_fte_for_leavers=bool(rng.random() < 0.15),
            )
        )
    return out


def _story(fate: float, first: Month, months: int, rng: np.random.Generator) -> tuple[Story, tuple[Judgement, ...]]:
    """The storyline of one generic council, with its judgements."""
    pace = int(rng.integers(4, 11))
    when = int(rng.integers(0, max(1, months)))
    if fate < DRIFTING_SHARE:
        onset = first.plus(when)
        judged = onset.plus(5 * pace + 6)
        before = _judged(first, int(rng.integers(4, 40)), _GOOD)
        if judged > first.plus(months - 1):
            return Story(Storyline.DRIFTING, onset, pace), (before,)
        return Story(Storyline.DRIFTING, onset, pace, judged), (before, _judged(judged, 0, _INADEQUATE))
    if fate < DRIFTING_SHARE + RECOVERING_SHARE:
        judged = first.plus(-(when % 12))
        return (
            Story(Storyline.RECOVERING, judged.plus(-4 * pace), pace, judged),
            (_judged(judged, 0, _INADEQUATE),),
        )
    if fate < DRIFTING_SHARE + RECOVERING_SHARE + BAD_LUCK_SHARE:
        return Story(Storyline.BAD_LUCK, unlucky_from=first.plus(when)), ()
    return Story(), ()


#: DfE gives every council ten statistical neighbours.
_NEIGHBOURS = 10
#: Children aged 0 to 17 per FTE social worker in post in England, about 12.1 million to 35,000.
_CHILDREN_PER_INPOST_FTE = 345.0


def _with_context(made: list[MadeUpCouncil], rng: np.random.Generator) -> list[MadeUpCouncil]:
    """Give each council its deprivation, its child population and the nearest neighbours by these two.

    Children per worker fall with deprivation: poorer places have more referrals per child.
    """
    deprivation = np.clip(rng.normal(23.0, 8.0, len(made)), 6.0, 46.0)
    staff = np.array([c.inpost_fte for c in made])
    noise = rng.normal(0.0, 0.15, len(made))
    children = _CHILDREN_PER_INPOST_FTE * staff * np.exp(-0.012 * (deprivation - 23.0) + noise)
    place = np.column_stack([deprivation / 8.0, np.log(children) / 0.5])
    far = np.linalg.norm(place[:, None, :] - place[None, :, :], axis=2)
    out = []
    for i, one in enumerate(made):
        nearest = [int(j) for j in np.argsort(far[i], kind="stable") if int(j) != i][:_NEIGHBOURS]
        council = replace(
            one.council,
            imd_score=round(float(deprivation[i]), 3),
            population_0_17=int(round(float(children[i]), -2)),
            neighbours=tuple(made[j].la_code for j in nearest),
        )
        out.append(replace(one, council=council))
    return out
