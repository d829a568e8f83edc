"""Measurements; each module tells how it is started. They must not be part of the tests."""
