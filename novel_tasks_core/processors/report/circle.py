"""The order of people around a circle, so that those who meet often are neighbours and few lines cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Weights = Mapping[tuple[str, str], float]
_ROUNDS = 12


def around(names: Sequence[str], weights: Weights) -> list[str]:
    """Return the names in an order that keeps heavy lines short. The same input gives the same order.

    Begins with each name beside those it meets most, then exchanges pairs as long as that makes the sum of
    (weight x distance around the circle) smaller.
    """
    near: dict[str, dict[str, float]] = {name: {} for name in names}
    for (one, other), weight in weights.items():
        near[one][other] = near[other][one] = weight
    order = _greedy(names, near)
    place = {name: at for at, name in enumerate(order)}
    for _ in range(_ROUNDS):
        if not _improve(order, place, near):
            break
    return order


def _greedy(names: Sequence[str], near: Mapping[str, Mapping[str, float]]) -> list[str]:
    order: list[str] = []
    left = list(names)
    while left:
        ends = (order[-1], order[0]) if order else ()
        name = max(left, key=lambda n: (max((near[n].get(end, 0.0) for end in ends), default=0.0), -left.index(n)))
        left.remove(name)
        if order and near[name].get(order[0], 0.0) > near[name].get(order[-1], 0.0):
            order.insert(0, name)
        else:
            order.append(name)
    return order


def _improve(order: list[str], place: dict[str, int], near: Mapping[str, Mapping[str, float]]) -> bool:
    better = False
    for first in range(len(order)):
        for second in range(first + 1, len(order)):
            one, other = order[first], order[second]
            before = _cost(one, place, near, len(order)) + _cost(other, place, near, len(order))
            place[one], place[other] = second, first
            after = _cost(one, place, near, len(order)) + _cost(other, place, near, len(order))
            if after < before - 1e-9:
                order[first], order[second] = other, one
                better = True
            else:
                place[one], place[other] = first, second
    return better


def _cost(name: str, place: Mapping[str, int], near: Mapping[str, Mapping[str, float]], total: int) -> float:
    here = place[name]
    cost = 0.0
    for other, weight in near[name].items():
        distance = abs(place[other] - here)
        cost += weight * min(distance, total - distance)
    return cost
