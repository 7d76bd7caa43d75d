"""What a policy is, and the policies that have names."""
