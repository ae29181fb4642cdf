from __future__ import annotations

import pytest

from erp_pipelines.settings import Settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://localhost:3000"),
        ({"dagster_port": 3100, "public_url": "http://127.0.0.1:8000"}, "http://localhost:3100"),
        ({"public_url": "https://erp.example.com"}, ""),
        ({"public_url": "https://erp.example.com", "dagster_url": "https://dagster.example.com/"}, "https://dagster.example.com"),
    ],
)  # fmt: skip
def test_where_links_to_dagster_lead(given: dict[str, object], url: str) -> None:
    assert Settings(_env_file=None, **given).dagster_for_people() == url  # type: ignore[arg-type,call-arg]
