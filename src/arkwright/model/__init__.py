"""Nouns: what exists, as frozen values, and the codec from and to JSON. No I/O, no clock, no decisions."""
