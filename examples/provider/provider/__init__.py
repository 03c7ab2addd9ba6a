"""A module for the examples and the demo."""
