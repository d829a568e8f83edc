"""What people see of a merged report.

It must not compute anything that is not in the report, and nothing else in the core draws.
"""
