"""mrunners: kperf load runners as Kubernetes Jobs over many hosts, and one exact merged report.

The rooms, in the way of a run: inputs -> plan -> cluster -> progress -> reports -> views; `run`
holds the steps that act. Nothing here needs Prefect.
"""
