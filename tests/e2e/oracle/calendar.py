"""Calendar days of a time zone, as the number of days since 1970-01-01 there."""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Calendar:
    """Which day an instant belongs to, and when a day begins."""

    def __init__(self, time_zone="UTC"):
        self._zone = ZoneInfo(time_zone)
        self.day = lru_cache(maxsize=200_000)(self._day)
        self.start_ms = lru_cache(maxsize=50_000)(self._start_ms)

    def _day(self, time_ms):
        local = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(self._zone)
        return local.date().toordinal() - _EPOCH_ORDINAL

    def _start_ms(self, day):
        """The first millisecond whose local date is `day` or later.

        Found by bisection, so it holds where a day begins at 01:00, or is skipped altogether.
        """
        before, at = day * DAY_MS - 2 * DAY_MS, day * DAY_MS + 2 * DAY_MS
        while at - before > 1:
            middle = (before + at) // 2
            if self._day(middle) >= day:
                at = middle
            else:
                before = middle
        return at
