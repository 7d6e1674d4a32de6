"""Evidence as a table, and the engines that make it of events."""
