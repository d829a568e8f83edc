"""Broken logs, made by code from one log of a real pod (`real_pod.log`)."""
