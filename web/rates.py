"""How often somebody may do something: so many times in any one minute, whatever the clock on the wall is set to."""

import time
from collections import OrderedDict, deque

WINDOW_S = 60.0
CALLERS = 20_000  # remembered at most (20 MB): beyond it who has been quiet longest starts afresh


class Rate:
    """`most` times in a minute, for each of any number of callers. For one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()  # of each, the latest; who came last stands last

    def wait_s(self, who: str) -> float:
        """Seconds until `who` may once more; 0 for now."""
        times = self._times.get(who)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, times[0] + WINDOW_S - time.monotonic())

    def count(self, who: str) -> None:
        """`who` has done it."""
        now = time.monotonic()
        self._times.setdefault(who, deque(maxlen=self._most)).append(now)
        self._times.move_to_end(who)
        while len(self._times) > CALLERS or next(iter(self._times.values()))[-1] <= now - WINDOW_S:
            self._times.popitem(last=False)
