"""The form for a refresh in the Prefect UI. Addresses are settings, never parameters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RefreshRequest(BaseModel):
    """One refresh. Left empty it looks at every source of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: list[str] = Field(
        default=[],
        title="Sources",
        description="Names of sources in the settings, for example workforce. Empty: all.",
    )
    reason: str = Field(default="", title="Reason", description="Why now: shown in the run’s name.", max_length=200)
