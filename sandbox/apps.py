"""Define apps: each has its key and secret, its tokens, and its own ids for the same people and videos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.account_faults import AccountFault, AccountFaults
from sandbox.clock import SandboxClock
from sandbox.config import SandboxConfig
from sandbox.hashing import mix, name
from sandbox.tokens import Tokens
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class SandboxApp:
    """One app, and the world with the ids that it sees."""

    client_key: str
    world: World
    tokens: Tokens


def make_apps(config: SandboxConfig, clock: SandboxClock, scopes: Iterable[str]) -> dict[str, SandboxApp]:
    """Create all apps of a configuration, by key and in order.

    Ids of the first one follow from the seed alone.
    """
    apps: dict[str, SandboxApp] = {}
    account_faults, scopes = AccountFaults(config), tuple(filter(config.owns, scopes))
    for key, secret in ((config.client_key, config.client_secret), *config.apps):
        id_seed = mix(config.seed, name(key)) if apps else config.seed
        world = World(config.seed, config.accounts, config.videos, id_seed, config.most_fans, config.late_counts)

        def is_dead(open_id: str, world: World = world) -> bool:
            account = world.account(open_id)
            return account is not None and account_faults.of(account) is AccountFault.DEAD_TOKEN

        apps[key] = SandboxApp(key, world, Tokens(config.seed, key, secret, clock, scopes, is_dead))
    return apps
