"""What MAX_MEMORY_GB may be, of a node and of the gateway's own engine."""

LEAST_MEMORY_GB = 0.001
"""With less DuckDB does not even open a catalog."""

MOST_MEMORY_GB = 2.0**20
"""A pebibyte: more is a slip, and no number of bytes that DuckDB takes."""
