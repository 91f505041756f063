"""The exec node: a sandboxed DuckDB engine behind gRPC. Holds no identity, policy or storage setting."""
