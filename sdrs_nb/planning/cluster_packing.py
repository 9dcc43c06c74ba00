"""Clusters into the fewest batches, exactly: bin packing over a small number of sizes.

Sizes run from 2 to the batch limit.  Lower bounds, matching of pairs that fill a batch exactly and largest-first
filling settle nearly every estate; where a gap is left, a search closes it in counted steps.  Steps, not seconds:
the same input gives the same answer on every machine.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

__all__ = ["STEPS", "lower_bound", "pack_clusters"]

#: Steps that a search may take for one batch key before its gap is stated instead of closed.
STEPS = 10_000

Sizes = Mapping[int, int]
Pattern = tuple[int, ...]
State = tuple[int, ...]


def lower_bound(sizes: Sizes, limit: int) -> int:
    """Return a number of batches below which clusters of these sizes (size -> how many) cannot fit.

    The best of: all servers over the limit; big clusters that exclude one another (the bound L2 of Martello and
    Toth); rounded sizes (the dual feasible functions of Fekete and Schepers).
    """
    total = sum(size * count for size, count in sizes.items())
    bounds = [-(-total // limit)]
    bounds += [_exclusion_bound(sizes, limit, small) for small in range(limit // 2 + 1)]
    bounds += [_rounding_bound(sizes, limit, k) for k in range(2, limit)]
    return max(bounds)


def _exclusion_bound(sizes: Sizes, limit: int, small: int) -> int:
    """Return the bound from clusters over half the limit, beside which only ``small`` and larger ones count."""
    alone = half = room = rest = 0
    for size, count in sizes.items():
        if size > limit - small:
            alone += count
        elif 2 * size > limit:
            half += count
            room += (limit - size) * count
        elif size >= small:
            rest += size * count
    return alone + half + max(0, -(-(rest - room) // limit))


def _rounding_bound(sizes: Sizes, limit: int, k: int) -> int:
    """Return the bound from sizes rounded to multiples of 1/k, exact multiples of 1/(k+1) kept as they are."""
    weight = 0  # in units of 1 / (limit * k)
    for size, count in sizes.items():
        whole, part = divmod((k + 1) * size, limit)
        weight += count * (whole * limit if part else size * k)
    return -(-weight // (limit * k))


def pack_clusters(sizes: Sizes, limit: int, *, at_least: int = 0, steps: int = STEPS) -> tuple[list[Pattern], int]:
    """Return batches of cluster sizes, as few as found, and a number of batches below which none exists.

    ``sizes`` says how many clusters of each size there are, none over ``limit``.  ``at_least`` batches are needed
    for other reasons, so nothing below it is searched.  When ``steps`` do not suffice, the second figure stays
    below the number of batches: that is the gap.
    """
    left = Counter({size: count for size, count in sizes.items() if count > 0})
    pairs = _exact_pairs(left, limit)
    bound = lower_bound(left, limit)
    found = _largest_first(left, limit)
    if len(found) > max(bound, at_least - len(pairs)):
        found = min(found, _tightest_first(left, limit), key=len)
    spent = _Steps(steps)
    for count in range(max(bound, at_least - len(pairs)), len(found)):
        better = _Search(left, limit, count, spent).run()
        if better is not None:
            found = better
            break
        if spent.gone:
            break
        bound = count + 1
    return [*pairs, *found], len(pairs) + bound


def _exact_pairs(left: Counter[int], limit: int) -> list[Pattern]:
    """Take out of ``left`` the clusters that fill a batch, alone or in pairs.

    Nothing is lost: in any packing the partners of two such clusters fit together into the batch that becomes
    free when the two are put into one.
    """
    pairs: list[Pattern] = []
    for size in sorted(left, reverse=True):
        other = limit - size
        if other > size:
            break
        count = left[size] if other == 0 else left[size] // 2 if other == size else min(left[size], left[other])
        pairs += [(size,) if other == 0 else (size, other)] * count
        left[size] -= count
        if other:
            left[other] -= count
    for size in [size for size, count in left.items() if not count]:
        del left[size]
    return pairs


def _largest_first(sizes: Counter[int], limit: int) -> list[Pattern]:
    """Return first-fit-decreasing batches."""

    def fill(left: Counter[int]) -> list[int]:
        room, pattern = limit, list[int]()
        for size in sorted(left, reverse=True):
            taken = min(left[size], room // size)
            pattern += [size] * taken
            room -= size * taken
        return pattern

    return _repeated(sizes, fill)


def _tightest_first(sizes: Counter[int], limit: int) -> list[Pattern]:
    """Return batches made one after the other, each of the largest cluster left and what wastes least beside it."""

    def fill(left: Counter[int]) -> list[int]:
        largest = max(left)
        rest = left - Counter([largest])
        for load in range(limit - largest, -1, -1):
            beside = _exactly(sorted(rest, reverse=True), rest, load)
            if beside is not None:
                return [largest, *beside]
        return [largest]

    return _repeated(sizes, fill)


def _exactly(kinds: Sequence[int], left: Counter[int], load: int) -> list[int] | None:
    """Return clusters that add up to ``load``, large ones first; None when none do."""
    failed: set[tuple[int, int]] = set()

    def choose(index: int, open_load: int) -> list[int] | None:
        if open_load == 0:
            return []
        if index == len(kinds) or (index, open_load) in failed:
            return None
        size = kinds[index]
        for taken in range(min(left[size], open_load // size), -1, -1):
            others = choose(index + 1, open_load - taken * size)
            if others is not None:
                return [size] * taken + others
        failed.add((index, open_load))
        return None

    return choose(0, load)


def _repeated(sizes: Counter[int], fill: Callable[[Counter[int]], list[int]]) -> list[Pattern]:
    """Return the batches that ``fill`` makes of what is left; equal ones are made in one go."""
    left, batches = Counter(sizes), list[Pattern]()
    while left:
        pattern = fill(left)
        used = Counter(pattern)
        times = min(left[size] // count for size, count in used.items())
        batches += [tuple(pattern)] * times
        left -= Counter({size: count * times for size, count in used.items()})
    return batches


class _Steps:
    """A budget of steps, shared by the searches of one batch key."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    @property
    def gone(self) -> bool:
        return self._left <= 0

    def spend(self) -> None:
        self._left -= 1


class _Search:
    """Can these clusters go into that many batches?  Depth first, one batch a level, largest cluster left first.

    A state is how many clusters of each kind are left.  Only batches to which no further cluster could be added
    are tried, since adding one never hurts; states that failed are remembered.
    """

    def __init__(self, sizes: Counter[int], limit: int, batches: int, steps: _Steps) -> None:
        self.kinds = sorted(sizes, reverse=True)
        self.limit = limit
        self.batches = batches
        self.steps = steps
        self.start: State = tuple(sizes[kind] for kind in self.kinds)

    def run(self) -> list[Pattern] | None:
        """Return the batches, or None when there are none or the steps are gone (``steps.gone`` tells)."""
        failed: set[tuple[State, int]] = set()
        path: list[State] = [self.start]
        branches = [self._next(self.start, self.batches)]
        while branches and not self.steps.gone:
            if not any(path[-1]):
                return [self._pattern(before, after) for before, after in pairwise(path)]
            state = next(branches[-1], None)
            if state is None:
                branches.pop()
                failed.add((path.pop(), self.batches - len(path)))
            elif (state, self.batches - len(path)) not in failed:
                path.append(state)
                branches.append(self._next(state, self.batches - len(path) + 1))
        return None

    def _pattern(self, before: State, after: State) -> Pattern:
        return tuple(
            kind for kind, had, has in zip(self.kinds, before, after, strict=True) for _each in range(had - has)
        )

    def _next(self, state: State, batches: int) -> Iterator[State]:
        """Return the states after one more batch, ``batches`` still to be made."""
        self.steps.spend()
        left = {kind: count for kind, count in zip(self.kinds, state, strict=True) if count}
        if not left or lower_bound(left, self.limit) > batches:
            return
        waste = batches * self.limit - sum(size * count for size, count in left.items())
        first = next(index for index, count in enumerate(state) if count)
        one_less = (*state[:first], state[first] - 1, *state[first + 1 :])
        yield from self._filled(one_less, first, self.limit - self.kinds[first], waste)

    def _filled(self, state: State, index: int, room: int, waste: int) -> Iterator[State]:
        """Return the states after filling ``room`` with kinds from ``index`` on, wasting at most ``waste``."""
        self.steps.spend()
        if self.steps.gone:
            return
        if index == len(state):
            fits = any(count and kind <= room for kind, count in zip(self.kinds, state, strict=True))
            if room <= waste and not fits:
                yield state
            return
        for taken in range(min(state[index], room // self.kinds[index]), -1, -1):
            after = (*state[:index], state[index] - taken, *state[index + 1 :]) if taken else state
            yield from self._filled(after, index + 1, room - taken * self.kinds[index], waste)
