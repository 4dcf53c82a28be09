"""The simulated tenant: HTTP requests in, HTTP responses out."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from . import azure, clock, signin
from .batch import batch_call, is_batch
from .behavior import Behavior
from .caller import claims_for, sign
from .crowd import add_crowd, crowd_seed
from .dispatch import Tenant, graph_call
from .faults import FaultCounter
from .journal import JournalEntry, RequestEntry, read_journal, read_requests, read_tally
from .rolebook import BUILT_IN
from .seed import plant
from .seedfile import contoso
from .store import Store
from .throttle import Throttle
from .wire import Request, Response


class Sandbox:
    """A tenant in memory or on disk. Thread-safe; two processes may share one folder."""

    def __init__(self, store: Store, now: clock.Now, behavior: Behavior) -> None:
        self._store = store
        self._now = now
        self._lock = threading.RLock()
        self._codes = signin.DeviceCodes()
        self._behavior = behavior
        self._planted: str | None = None
        self._tenant = self._assemble()

    @classmethod
    def open(
        cls,
        folder: Path | None = None,
        *,
        now: clock.Now = clock.utc_now,
        seed: Mapping[str, Any] | None = None,
        behavior: Behavior | None = None,
    ) -> Sandbox:
        """Open the tenant kept in a folder, or plant a new one: from `seed`, else Contoso. None keeps it in memory."""
        store = Store(folder)
        with store.transaction():
            if store.get_meta("tenant") is None:
                _replant(store, seed or contoso(), now)
        return cls(store, now, behavior or Behavior())

    def _assemble(self) -> Tenant:
        self._planted = self._store.get_meta("planted")
        tenant_id = self._store.get_meta("tenant") or ""
        throttle = Throttle(tenant_id, self._store.count("user")) if self._behavior.throttle == "published" else None
        return Tenant(
            store=self._store,
            tenant_id=tenant_id,
            secret=self._store.get_meta("secret") or "",
            now=self._now,
            behavior=self._behavior,
            faults=FaultCounter(self._behavior.faults),
            throttle=throttle,
        )

    def _notice_reset(self) -> None:
        """Another process may have started the tenant over."""
        if self._store.get_meta("planted") != self._planted:
            self._codes = signin.DeviceCodes()
            self._tenant = self._assemble()

    @property
    def behavior(self) -> Behavior:
        """How the tenant behaves; setting it starts fault counters and throttling buckets afresh."""
        return self._behavior

    @behavior.setter
    def behavior(self, behavior: Behavior) -> None:
        """Change how the tenant behaves from now on."""
        with self._lock:
            self._behavior = behavior
            self._tenant = self._assemble()

    @property
    def tenant_id(self) -> str:
        """The id of the tenant."""
        with self._lock:
            self._notice_reset()
            return self._tenant.tenant_id

    def handle(self, request: Request) -> Response:
        """Answer one HTTP request: Graph, or sign-in."""
        with self._lock:
            self._notice_reset()
            if azure.is_azure(request):
                return azure.answer(request, self._now(), self._tenant.tenant_id)
            if signin.is_signin(request):
                return signin.answer(self._tenant, self._codes, request)
            if is_batch(request):
                return batch_call(self._tenant, request)
            return graph_call(self._tenant, request, item=False)

    def reset(self, seed: Mapping[str, Any] | None = None, people: int | None = None) -> None:
        """Start over: from a seed, with a reproducible crowd of so many people, or as Contoso."""
        with self._lock, self._store.transaction():
            usual = contoso() if people is None else crowd_seed(people)
            _replant(self._store, seed or usual, self._now, people)

    def journal(self) -> list[JournalEntry]:
        """Every write that was executed, oldest first."""
        with self._lock:
            return read_journal(self._store)

    def requests(self) -> list[RequestEntry]:
        """The latest ten thousand requests, batch items among them, oldest first."""
        with self._lock:
            return read_requests(self._store)

    def tally(self) -> dict[tuple[bool, int], int]:
        """How many calls there were since the tenant was new, by whether they came in a batch, and by status."""
        with self._lock:
            return read_tally(self._store)

    def issue_token(
        self,
        *,
        app_roles: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        user: str | None = None,
        roles: Iterable[str] | None = None,
        app_id: str | None = None,
        lifetime: timedelta = timedelta(hours=1),
    ) -> str:
        """A token as the tenant's own sign-in would give it.

        With `user` (id or user principal name) and `scopes` it is delegated, with `app_roles` it is an app's own.
        `roles` are names or template ids of directory roles for `wids`. A negative lifetime makes it expired.
        """
        with self._lock:
            self._notice_reset()
            wanted = signin.Grant(user=user, scopes=scopes, app_roles=app_roles, app_id=app_id)
            object_id, client = signin.principal(self._tenant, wanted)
            role_ids = [BUILT_IN.get(role, role) for role in roles or ()]
            delegated = scopes is not None or user is not None
            claims = claims_for(
                self.tenant_id,
                app_id=client,
                object_id=object_id,
                issued=self._now(),
                lifetime=int(lifetime.total_seconds()),
                roles=app_roles,
                scopes=(scopes or ()) if delegated else None,
                role_ids=role_ids,
            )
            return sign(claims, self._tenant.secret)

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._store.close()


def _replant(store: Store, seed: Mapping[str, Any], now: clock.Now, people: int | None = None) -> None:
    """Empty the store and fill it anew. The signing secret is kept: tokens stay good where the tenant is the same."""
    secret = store.get_meta("secret") or secrets.token_urlsafe(32)
    planted = plant(seed, now())
    if people is not None:
        add_crowd(planted, people, now())
    store.clear()
    store.put_many(planted.entities)
    store.relate_many(planted.relations)
    for name, value in {**planted.meta, "secret": secret, "planted": secrets.token_hex(8)}.items():
        store.set_meta(name, value)
