"""The arithmetic of batches (semantics 3). In: the number of moves and the strategy. Out: how many are moved after each batch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchPlan:
    """`moved_after[k - 1]` moves are done once batch k is complete; the last entry is the number of moves."""

    moved_after: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.moved_after)

    def moved(self, batch: int) -> int:
        """Moves done after `batch` (1-based); 0 for batch 0, all of them past the last."""
        if batch <= 0 or not self.moved_after:
            return 0
        return self.moved_after[min(batch, self.count) - 1]

    def batch_with(self, moves: int) -> int:
        """The batch that the last of `moves` moves belongs to; 1 if there are none yet.

        >>> plan = batch_sizes(10, 3)  # 4, 7, 10
        >>> plan.batch_with(0), plan.batch_with(4), plan.batch_with(5), plan.batch_with(99)
        (1, 1, 2, 3)
        """
        reached = (k for k, moved in enumerate(self.moved_after, start=1) if moved >= moves)
        return next(reached, max(1, self.count))


def batch_sizes(moves: int, batch_count: int, use_beta: bool = False) -> BatchPlan:
    """Cut `moves` into at most `batch_count` batches (0 acts as 1); with beta the first is exactly one move.

    >>> batch_sizes(2, 2).moved_after, batch_sizes(3, 2).moved_after, batch_sizes(5, 4).moved_after
    ((1, 2), (2, 3), (2, 3, 4, 5))
    >>> batch_sizes(10, 3).moved_after, batch_sizes(10, 3, use_beta=True).moved_after
    ((4, 7, 10), (1, 6, 10))
    >>> batch_sizes(4, 2, use_beta=True).moved_after, batch_sizes(1, 3, use_beta=True).moved_after
    ((1, 4), (1,))
    """
    wanted = max(1, batch_count)
    if use_beta and moves > 1:
        return _with_beta(moves, min(max(wanted, 2), moves))
    rounds = min(wanted, moves)
    return BatchPlan(tuple(_ceiling(moves * k, rounds) for k in range(1, rounds + 1)))


def _with_beta(moves: int, rounds: int) -> BatchPlan:
    rest = (1 + _ceiling((moves - 1) * (k - 1), rounds - 1) for k in range(2, rounds + 1))
    return BatchPlan((1, *rest))


def _ceiling(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
