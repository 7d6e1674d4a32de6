"""The attack corpus: one small program per attack, and what runs and judges them."""
