"""Programs that serve a peer. They run in the peer's own virtualenv, and import nothing of ours."""
