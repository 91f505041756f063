"""Engines behind one Protocol: embedded (in process) and remote (gRPC)."""
