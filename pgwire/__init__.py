"""PostgreSQL's frontend/backend protocol as a library: sans-IO, no SQL, no asyncio. Usable alone."""
