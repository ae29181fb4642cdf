"""How every door logs: one line of JSON or text on standard error, secrets masked last of all."""

from __future__ import annotations

import logging
import sys

import structlog

from erp_pipelines.security.redaction import redact


def configure(*, plain: bool = False, level: int = logging.INFO) -> None:
    """Set up structlog for this process. `plain` is for a person at a terminal; otherwise one JSON object a line."""
    renderer = structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever replaces standard error after this call is followed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
