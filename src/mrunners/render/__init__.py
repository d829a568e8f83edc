"""How people see a merged report and a run's status: on a terminal, as HTML, in Prefect.

The renderers show what the records say and compute nothing of their own.
"""
