import pytest

from tests.unit.twins.suiteql_support import Asked


@pytest.fixture
def account():
    return Asked()
