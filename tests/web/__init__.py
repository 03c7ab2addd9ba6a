"""The dashboard: what it shows to whom, and what it does for whom."""
