"""Seats of license subscriptions: who holds which product, counted as people come and go."""

from __future__ import annotations

from .entity import Entity
from .render import held_skus
from .store import Store
from .wire import Json


def skus_of(user: Entity) -> set[str]:
    """The products a user holds, directly or through a group."""
    return set(held_skus(user.body.get("licenseAssignmentStates") or []))


def find_sku(store: Store, sku_id: str) -> Entity | None:
    """A subscription of the tenant by its product id."""
    return next(iter(store.by_key("sku", sku_id.lower())), None)


def free_seats(sku: Entity) -> int:
    """Seats bought and not taken."""
    return int(sku.body["prepaidUnits"]["enabled"]) - int(sku.body["consumedUnits"])


def recount(store: Store, before: set[str], after: set[str]) -> None:
    """Move the counters of the products that came or went."""
    for sku_id in before ^ after:
        sku = find_sku(store, sku_id)
        if sku is not None:
            sku.body["consumedUnits"] += 1 if sku_id in after else -1
            store.put(sku)


def release_seats(store: Store, user: Entity) -> None:
    """A deleted user keeps the record of licenses but takes no seats."""
    recount(store, skus_of(user), set())


def take_seats(store: Store, user: Entity) -> None:
    """A restored user takes seats again, even where none is left, as in Graph."""
    recount(store, set(), skus_of(user))


def state(sku_id: str, stamp: str, *, group: str | None = None, disabled: list[str] | None = None) -> Json:
    """One entry of `licenseAssignmentStates`."""
    return {
        "skuId": sku_id,
        "disabledPlans": disabled or [],
        "assignedByGroup": group,
        "state": "Active",
        "error": "None",
        "lastUpdatedDateTime": stamp,
    }
