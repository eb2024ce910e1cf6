"""Percentiles that add up and can be subtracted: counts in buckets whose bounds grow by a fixed factor.

A value v > 0 lies in bucket i where g^(i-1) < v <= g^i, with g = (1 + a) / (1 - a). Told as the bucket's
middle, 2 g^i / (g + 1), it is off by at most a = 2 %. Source: Masson, Rim, Lee, DDSketch (VLDB 2019).
"""

from collections.abc import Mapping
from math import ceil, log

ERROR = 0.02
_GROWTH = (1 + ERROR) / (1 - ERROR)
_LOG_GROWTH = log(_GROWTH)
# Nothing or less has no logarithm: it has a bucket of its own, below all others.
NOTHING = -100_000


def bucket(value: float) -> int:
    """The bucket of a value; everything up to 1e-9 counts as nothing."""
    return ceil(log(value) / _LOG_GROWTH) if value > 1e-9 else NOTHING


def middle(index: int) -> float:
    """The value a bucket stands for."""
    return 0.0 if index == NOTHING else 2 * _GROWTH**index / (_GROWTH + 1)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The value that `share` (0 to 1) of all lie at or below: nearest rank. None when there are none."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(ceil(share * total), 1)
    for index in sorted(counts):
        rank -= counts[index]
        if rank <= 0:
            return middle(index)
    return middle(max(counts))
