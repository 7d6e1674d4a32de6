"""Events of the guard: read, counted, learnt from and replayed."""
