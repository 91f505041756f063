"""What becomes of a finished statement: metrics, one log line, one audit row."""
