"""How a Celery worker of dagster-celery is set: it imports this module by its name, so the directory stands on PYTHONPATH."""

import os

# Imported before the worker forks, so that a run starts at once: the jobs, and what the first run would put together.
import erp_pipelines.bootstrap
import erp_pipelines.definitions  # noqa: F401

broker_url = result_backend = os.environ["ERP_CELERY_URL"]
# A run takes minutes: whatever one worker has fetched beside it would wait, though another one is free.
worker_prefetch_multiplier = 1
# Fresh memory now and then; a lane lives ten minutes.
worker_max_tasks_per_child = 200
broker_connection_retry_on_startup = True
