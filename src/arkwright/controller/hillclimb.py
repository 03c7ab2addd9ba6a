"""How many at once get the most done: hill climbing on what comes through. In: the moments at which one is done. Out: a number. Pure.

How long one takes says little: a server that gathers writes into one sync of its disk takes as long for sixty-four as for sixteen, and
four times as many come through. So what comes through at one number is compared with what did just before at another: a quarter more at
once is kept where it brings more, a fifth fewer where it loses nothing. Where neither pays, the number rests for a while.
"""

import math
from dataclasses import dataclass

ROUNDS = 6  # a window is so many times the number at once
LEAST_WINDOW_SECONDS = 0.1
MORE, FEWER = 1.25, 0.8
GAIN = 0.25  # the share of what is added that must come through
LEFT = 0.98  # what fewer may leave
REST_WINDOWS = 4


@dataclass
class Window:
    """How many are done since when, in seconds of any clock that is never set."""

    began: float
    done: int = 0


class HillClimb:
    """`limit`: how many may be under way. Between `least` and `most`, and below only where the server says itself that it has too many."""

    def __init__(self, first: int, least: int, most: int) -> None:
        self._least, self._most = least, most
        self.limit = self._settled = min(first, most)
        self._rate = 0.0  # each second, at the settled number
        self._goes_up, self._rests = True, 0
        self._window: Window | None = None

    def count(self, now: float, is_full: bool) -> None:
        """One more is done. Where fewer were wanted than may be, it says nothing of what would come through."""
        if not is_full or self._window is None:
            self._window = Window(now)
            return
        self._window.done += 1
        seconds = now - self._window.began
        if self._window.done >= ROUNDS * self.limit and seconds >= LEAST_WINDOW_SECONDS:
            self._judge(self._window.done / seconds)
            self._window = Window(now)

    def halve(self) -> None:
        self.limit = self._settled = max(1, self.limit // 2)
        self._goes_up, self._rests, self._window = True, REST_WINDOWS, None

    def _judge(self, rate: float) -> None:
        tried = self.limit - self._settled
        if tried == 0:
            self._rate, self._rests = rate, self._rests - 1
            if self._rests < 0:
                self._try()
        elif rate >= self._rate * self._enough():
            self._settled, self._rate = self.limit, rate
            self._try()
        else:
            self._turn()

    def _enough(self) -> float:
        """Of the rate before, for what was tried to be kept."""
        added = self.limit / self._settled - 1
        return 1 + GAIN * added if added > 0 else LEFT

    def _try(self) -> None:
        if self._goes_up:
            self.limit = max(self._settled, min(self._most, math.ceil(self._settled * MORE)))
        else:
            self.limit = min(self._settled, max(self._least, math.floor(self._settled * FEWER)))
        if self.limit == self._settled:
            self._turn()

    def _turn(self) -> None:
        """The other direction next; once both have been tried, not before a while."""
        self.limit, self._rests = self._settled, 0 if self._goes_up else REST_WINDOWS
        self._goes_up = not self._goes_up
