"""The Prefect flows: `multirunners`, and `wait`, `result` and `delete` for runs that exist."""
