"""Real drivers against the gateway, beside PostgreSQL."""

import pytest

pytest.register_assert_rewrite("tests.clients.servers")
