"""The gateway: control plane, policy, routing and the PostgreSQL front door."""
