"""``fshield rollout``: a policy layer to a share of the functions, or of an alias's calls, and
on or back by what their events say.

``stages`` chooses whose turn it is, ``moves`` decides what a function's configuration becomes,
``alias`` moves an alias to a version that has it, ``journal`` keeps what is needed to go on and to
go back, ``watch`` reads the evidence. ``work`` does it, step by step, and ``command`` is the
command around it.
"""
