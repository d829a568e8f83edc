"""What acts: each step of a run against a cluster, in the order in which they come.

preparing -> finding -> creating -> waiting (harvesting as pods end) -> collecting -> resulting;
deleting at any time. Each step decides by the pure functions of the other rooms.
"""
