"""The engine: plans, and how they are carried out."""
