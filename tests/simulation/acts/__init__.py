"""The table of odd hand work: whatever operators, scripts, GitOps tools and misfortune do beside a release.

Each act has a name, says when it can be done, and does one thing. `is_costly`: what serves may be less for it; all others lose no
request. Not done here: in which order, and what has to come of them.
"""

from simulation.acts import of_wishes, of_objects, of_pods, of_hands  # isort: skip (each notes its acts, in this order: seeds count on it)
from simulation.acts.table import ACTS, Act

__all__ = ["ACTS", "Act", "of_hands", "of_objects", "of_pods", "of_wishes"]
