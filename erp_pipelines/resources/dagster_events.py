"""Many materializations in one statement. The one module that leans on Dagster's private event storage.

A lane tells of a hundred connections a second; the public way costs 5 to 20 ms an event, this one half a
millisecond. The public fallback is `log_each`, taken by itself where the private way is refused.
`VERSION` is what this was tried with; a test holds it.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Sequence

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData

VERSION = "1.13.27"


def log_materializations(context: dg.OpExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
    """Store the events as the run's own, in batches of one asset each."""
    try:
        log_batches(context, events)
    except (AttributeError, TypeError, ImportError) as error:  # what a changed private surface looks like
        context.log.warning("Dagster's batched events are not what they were (%s); logging them singly.", error)
        log_each(context, events)


def log_each(context: dg.OpExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
    for event in events:
        context.log_event(event)


def log_batches(context: dg.OpExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
    """A batch updates the asset's own row by its last event, so batches never mix assets."""
    by_asset = sorted(events, key=lambda event: event.asset_key)
    for _, batch in itertools.groupby(by_asset, key=lambda event: event.asset_key):
        context.instance.event_log_storage.store_event_batch([_entry(context, event) for event in batch])


def _entry(context: dg.OpExecutionContext, event: dg.AssetMaterialization) -> dg.EventLogEntry:
    step_key = str(context.op_handle)
    stored = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=context.job_name,
        step_key=step_key,
        event_specific_data=StepMaterializationData(event),
        message=f"Materialized {event.asset_key.to_user_string()} of {event.partition}.",
    )
    return dg.EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None, level=logging.INFO, user_message="", run_id=context.run_id, timestamp=time.time(),
        step_key=step_key, job_name=context.job_name, dagster_event=stored,
    )  # fmt: skip
