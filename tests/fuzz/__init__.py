"""A coverage-guided fuzzer over all input that somebody else wrote.

`targets` says what must hold for any input, `seeds` where the fuzzer begins, and `__main__` runs
atheris (`make fuzz`). What it found is a test of its own beside those of the code that was wrong;
`tests/unit/test_fuzz_targets.py` runs the targets on the seeds.
"""
