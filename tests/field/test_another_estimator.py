"""Another estimator, put first in the list of candidates by one line, speaks for a made-up region's month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from flows.alerts.alert import NO_REASONS
from flows.mail.why import chain
from flows.month.edition import TakenIn
from models.learning.candidates import BASELINES, RECIPE, Candidate
from models.learning.training import train_design
from models.registry.shipped import shipped_model
from models.registry.versions import promote, save
from tests.field.region import LAST, FieldRegion, Ran
from tests.unit.models.conftest import made_up
from tests.unit.models.learning.test_serving import small_trees


@pytest.mark.soak
def test_another_estimator_serves_a_month_with_level_and_interval_and_without_reasons(
    read_region: tuple[FieldRegion, TakenIn], undisturbed: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Candidate("trees", RECIPE.group, RECIPE.columns, small_trees)
    record = replace(made_up(), national=shipped_model().reference)
    found = train_design(record, hashes={}, code_version="1.2.3", candidates=(line, RECIPE, *BASELINES))
    read, taken = read_region
    region = read.copy(tmp_path / "region")
    monkeypatch.setenv("HOLDFAST_MODEL", found.model.ref.name)
    store = region.context().store
    save(store, found.model, found.verdict)
    promote(store, found.model.ref, found.verdict, date(2026, 11, 1), "an analyst", "a trial", override=True)
    ran = region.decide(taken)

    councils = {c.la_code: c for c in region.context().register.councils}
    scored = [p for p in ran.published if p.alert.score.probability_below_good is not None]
    known = {p.alert.la_code for p in undisturbed.published if p.alert.score.probability_below_good is not None}
    assert known == {p.alert.la_code for p in scored} != set()
    for one in scored:
        score = one.alert.score
        assert score.model_version == found.model.ref.version and score.reasons == ()
        assert score.interval_low is not None and score.interval_high is not None
        assert score.interval_low < (score.probability_below_good or 0) < score.interval_high
        assert score.level is not None and score.level.judgements == found.model.estimator.level.judgements
        assert score.rank is not None and score.of_ten is not None and score.track_record is not None
        said = chain(store, region.context().history, councils[one.alert.la_code], LAST)
        assert NO_REASONS in str(said.parts())
    assert len({p.alert.score.probability_below_good for p in scored}) > 1
    letters = [p.message.text for p in scored if p.message is not None]
    assert letters
    assert all(" ".join(NO_REASONS.split()) in " ".join(text.split()) for text in letters)
