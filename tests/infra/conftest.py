"""Fixtures for tests of what runs against engines."""

import random

import pytest

from infra.embedded.ports import free_port


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    return free_port(random.SystemRandom())
