"""Prices that rise when there is little left."""
