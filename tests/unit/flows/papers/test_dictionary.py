from __future__ import annotations

from features.comparing.context import CONTEXT
from features.frames import FEATURES_SCHEMA
from features.registry import ALL_MEASURES, COUNTS, EXTRACTS, Missing
from flows.papers.dictionary import FEATURE_MEANINGS, dictionary


def test_everything_declared_is_in_it() -> None:
    text = dictionary()
    names = [f.name for e in EXTRACTS.values() for f in e.fields]
    names += [c.name for c in COUNTS] + [m.name for m in ALL_MEASURES] + list(FEATURES_SCHEMA) + list(CONTEXT)
    assert [n for n in names if f"| `{n}` |" not in text] == []
    assert [str(r) for r in Missing if f"| {r} |" not in text] == []
    assert set(FEATURE_MEANINGS) == set(FEATURES_SCHEMA)


def test_every_row_of_a_table_has_as_many_cells_as_its_header() -> None:
    width = 0
    for line in dictionary().splitlines():
        cells = line.replace("\\|", "").count("|")
        if not cells:
            width = 0
        elif width:
            assert cells == width, line
        else:
            width = cells
