"""``fshield rollout``: gives a policy layer to a share of the functions, or of an alias's calls,
and continues or rolls back by their events.

``stages`` orders the functions, ``moves`` decides what a function's configuration becomes,
``alias`` moves an alias to a version that has it, ``journal`` stores what is needed to continue and
to roll back, ``watch`` reads the evidence, ``work`` performs the steps, and ``command`` is the
command itself.
"""
