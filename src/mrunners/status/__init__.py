"""The state of a run: pure functions that compare its plan with what the cluster has.

`run_state` compares the Jobs with the plan, `diagnostics` explains why pods do not start, and
`completion` decides whether the run can still finish and words what went wrong, and `time_left`
says how long it still takes.
"""
