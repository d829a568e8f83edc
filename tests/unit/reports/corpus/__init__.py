"""Broken logs, derived from the log of one real pod (`real_pod.log`)."""
