"""Rollout by evidence: figures of canary and control, and the decision that they allow."""
