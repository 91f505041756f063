"""Tests of policies for CI: what a principal gets for a query, compared with what it should get."""
