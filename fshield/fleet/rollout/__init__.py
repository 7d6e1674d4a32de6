"""``fshield rollout``: a policy layer to a share of the functions, and on or back by what their
events say.

``stages`` chooses whose turn it is, ``moves`` decides what a function's configuration becomes,
``journal`` keeps what is needed to go on and to go back, ``watch`` reads the evidence. ``work``
does it, step by step, and ``command`` is the command around it.
"""
