"""Events of the guard: reading, counting, learning from and replaying them."""
