"""Whole rollouts in faked time."""
