"""Demo data, a demo policy, and a narrated tour."""
