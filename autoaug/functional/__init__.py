"""Plain functions on tensors and numbers, which exported code carries along word for word."""
