"""PostgreSQL 15's own catalog as data: see `builtin.py`."""
