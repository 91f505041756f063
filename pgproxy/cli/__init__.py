"""The commands of `pgproxy`."""
