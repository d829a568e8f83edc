"""Benchmarks; each module's docstring says how to start it. The tests do not run them."""
