"""Joins a web shop with its ERPs. Importing this package wires nothing; see `bootstrap.build_runtime`."""
