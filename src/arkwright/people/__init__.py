"""What people are told of a release, and what they may do about it: the same words and rules for commands and for the dashboard."""
