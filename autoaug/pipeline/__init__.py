"""From options to a result."""
