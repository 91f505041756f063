"""Targets: one module per system that can be measured."""
