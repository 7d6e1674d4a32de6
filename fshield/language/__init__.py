"""The policy language: reads YAML into a resolved policy, and edits the YAML."""
