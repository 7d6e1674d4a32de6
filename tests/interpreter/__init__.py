"""The interpreter ring, tried in every Python of this machine."""
