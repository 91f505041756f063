"""The rows of each system relation. One module per family of relations, under PostgreSQL's own names."""
