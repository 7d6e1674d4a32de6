"""Processes: every way to start one is judged, and a program that may start is guarded."""
