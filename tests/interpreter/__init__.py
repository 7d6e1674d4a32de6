"""The interpreter ring, in every Python of this machine."""
