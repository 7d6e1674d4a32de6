"""The attack corpus: one small program per attack, and the code that runs and judges them."""
