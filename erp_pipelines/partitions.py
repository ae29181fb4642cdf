"""What Dagster's runs are divided by: one partition for each connection, and the tags that tell runs apart.

Here belong names that several Dagster rooms share. How partitions follow the connections stands in `sensors/connections.py`.
"""

import dagster as dg

# Keys are `tenant:provider`, as ConnectionKey writes and parses them.
CONNECTIONS_NAME = "connections"
CONNECTIONS = dg.DynamicPartitionsDefinition(name=CONNECTIONS_NAME)

# Dagster sets it on every run of one partition, whoever asked for the run. Range runs carry RANGE_TAG instead.
PARTITION_TAG = "dagster/partition"
RANGE_TAG = "dagster/asset_partition_range_start"
# Which lane a `drain` run is; `dagster.yaml` lets one run of each value through at a time.
LANE_TAG = "erp/lane"
# The lane that stays although nothing is due.
STANDBY_TAG = "erp/standby"
# Run monitoring ends a run that lives longer (seconds).
MAX_RUNTIME_TAG = "dagster/max_runtime"

UNDER_WAY = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
