"""Fixtures for pytest, there as soon as kstone is installed.

- `kstone_db`: an empty database for one test.
- `kstone_fork`: a fork of a database that is filled once in a session. It costs microseconds, and what a test writes
  to it no other test sees.

The session's database is made of two fixtures that you override, in a conftest.py, with session scope:

    @pytest.fixture(scope="session")
    def kstone_schema():
        return {"ttl_attribute": "expires_at"}

    @pytest.fixture(scope="session")
    def kstone_fill(kstone_base):
        kstone_base["ada"] = {"born": 1815}
"""

from collections.abc import Iterator

import pytest

import kstone


@pytest.fixture
def kstone_db() -> Iterator[kstone.Database]:
    """An empty database, closed after the test."""
    with kstone.open() as db:
        yield db


@pytest.fixture(scope="session")
def kstone_schema() -> kstone.Schema | None:
    """The schema of the session's database: none. Override it to have one."""
    return None


@pytest.fixture(scope="session")
def kstone_base(kstone_schema: kstone.Schema | None) -> Iterator[kstone.Database]:
    """The session's database, which `kstone_fill` fills. Tests ask for `kstone_fork` instead."""
    with kstone.open(kstone_schema) as db:
        yield db


@pytest.fixture(scope="session")
def kstone_fill(kstone_base: kstone.Database) -> None:
    """Leaves the session's database empty. Override it to put into `kstone_base` what every test begins with."""


@pytest.fixture
def kstone_fork(kstone_base: kstone.Database, kstone_fill: None) -> Iterator[kstone.Database]:
    """A database that begins as `kstone_fill` left the session's, closed after the test."""
    with kstone_base.fork() as db:
        yield db
