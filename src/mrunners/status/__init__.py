"""How far a run is, judged against its plan: pure functions over what the cluster showed.

The way of the data: run_state (Jobs against the plan) -> starting (why pods do not start) ->
verdicts (may it still finish, in words).
"""
