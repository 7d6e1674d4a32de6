"""Lambda's and IAM's APIs, as the fleet commands need them."""
