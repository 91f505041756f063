"""Queries that outlive their client: a durable queue, its workers and its stored results."""
