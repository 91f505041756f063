"""What exists.

The catalog snapshot, and pg_catalog and information_schema made from it, true per principal.
"""
