"""What a release says of its files, and how that is checked."""
