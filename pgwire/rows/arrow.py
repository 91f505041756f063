"""pyarrow for kernels that take every kind of array.

Its stubs have another type for each and no union of them.
"""

from typing import Any

import pyarrow
import pyarrow.compute

pa: Any = pyarrow
pc: Any = pyarrow.compute
