"""The policy language: from YAML to a policy whose entries are resolved, and edits back."""
