"""The rules, pure: standard library and pydantic only; no clock, no environment, no I/O."""
