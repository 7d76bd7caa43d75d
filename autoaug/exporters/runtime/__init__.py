"""Real functions whose source exported modules carry along; nothing in them may refer to autoaug."""
