"""What exists: the catalog snapshot, and pg_catalog and information_schema served from it, truthful per principal."""
