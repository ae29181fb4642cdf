"""Stateful doubles of the ERPs, for tests and the demo. Knows nothing of `erp_pipelines`."""
