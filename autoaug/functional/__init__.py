"""Plain functions on tensors and numbers, which exported modules contain verbatim."""
