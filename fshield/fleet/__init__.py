"""The guard on many functions: publish, attach, detach, status, mode, ready.

``plan`` decides without AWS what a function's configuration should become; ``change`` writes it to
one function, and ``run`` does so to many. What AWS says is put into words by ``fixes``.
"""
