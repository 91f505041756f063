"""The two ways of `pgwire.rows`: every property holds for both."""

import pytest

from pgwire.rows import KERNEL

is_built = KERNEL != "pyarrow"
both_paths = pytest.mark.parametrize(
    "pure",
    [
        pytest.param(True, id="pyarrow"),
        pytest.param(False, id="kernel", marks=pytest.mark.skipif(not is_built, reason="no compiled kernel")),
    ],
)
