from __future__ import annotations

import pytest

from tests.support.stage import staged


@pytest.fixture
def stage(database_url):
    """A tenant connected to the QuickBooks twin, in a database of its own."""
    with staged(database_url) as made:
        runtime = made.runtime()
        made.connect(runtime)
        runtime.db.dispose()
        yield made
