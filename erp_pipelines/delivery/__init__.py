"""The engine: what is due is claimed, sent, bound and settled. Knows ports, neither Dagster nor FastAPI."""
