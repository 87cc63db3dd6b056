"""Makes up a region: extracts of fictional councils with England's levels, for trials, tests and benchmarks.

`sample_extracts` writes a landing folder; `generate` gives the same data as frames, one month at a time.
"""

from flows.sample_region.councils import DEMO_COUNCILS, MadeUpCouncil, Region, SampleForm, Trouble, region
from flows.sample_region.landing import TRUTH, Sample, sample_extracts, truth_table, write_landing, write_month
from flows.sample_region.simulation import MonthFrames, as_canonical, as_sent, generate
from flows.sample_region.storylines import Story, Storyline

__all__ = [
    "DEMO_COUNCILS",
    "TRUTH",
    "SampleForm",
    "MadeUpCouncil",
    "MonthFrames",
    "Region",
    "Sample",
    "Story",
    "Storyline",
    "Trouble",
    "as_canonical",
    "as_sent",
    "generate",
    "region",
    "sample_extracts",
    "truth_table",
    "write_landing",
    "write_month",
]

#: Modules that other rooms may import, besides the room's own name; the rest is private.
DOOR = (
    "examples",
    "landing",
)
