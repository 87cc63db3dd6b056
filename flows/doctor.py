"""The doctor flow: reads everything in the store once a week and tells the data team what is damaged or missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError
from features.months import Month
from flows.mail.notices import tell
from flows.mail.transports.open import open_transport
from flows.orchestration.doctor import examine
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.health import store_notice
from flows.orchestration.restore import mend
from flows.settings.settings import Settings
from flows.store import open_store


class DoctorRequest(BaseModel):
    """One look at the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month: str | None = Field(default=None, title="Month", description="YYYY-MM; empty: the whole store.")
    repair: bool = Field(
        default=False,
        title="Repair",
        description="Restore what has a good copy or version; lay aside what a run makes anew or belongs to nothing.",
    )


@flow(name="doctor", flow_run_name="look at the store", persist_result=False, **TELLS_OF_FAILURE)
def doctor(request: DoctorRequest = DoctorRequest()) -> State[Any]:  # noqa: B008
    """Read every object of the store, and tell the data team what is damaged, missing or belongs to nothing.

    Args:
        request: What to look at. Left empty: everything, without repair.
    """
    try:
        settings, now = Settings.load(), datetime.now(UTC)
        store = open_store(settings, settings.store, must_exist=True)
        month = Month.parse(request.month) if request.month else None
        found = examine(store, month)
        found = mend(store, found, month) if request.repair else found
        if found.findings:
            tell(settings, store, open_transport(settings), [store_notice(found)], now)
    except HoldfastError as error:
        return Failed(message=str(error), data=error)
    get_run_logger().info(found.to_text())
    return Completed(message=found.headline)
