"""Benchmarks: the gateway beside its peers, measured in one run on the same data."""
