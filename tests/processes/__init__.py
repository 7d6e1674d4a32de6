"""Processes: every way to start one is judged, and whoever may start is guarded."""
