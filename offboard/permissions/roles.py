"""Entra roles: their ids, which are the same in every tenant, and who may act on whom.

Source: https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

GLOBAL = "Global Administrator"
PRIVILEGED = "Privileged Authentication Administrator"
USER, AUTHENTICATION = "User Administrator", "Authentication Administrator"
HELPDESK, PASSWORD = "Helpdesk Administrator", "Password Administrator"

ROLES: Mapping[str, str] = {
    GLOBAL: "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    PRIVILEGED: "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    AUTHENTICATION: "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    USER: "fe930be7-5e62-47db-91af-98c3a49a38b1",
    HELPDESK: "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    PASSWORD: "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "License Administrator": "4d6ac14f-3453-41d0-bef9-a3e0c569773a",
    "Groups Administrator": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
    "Cloud Device Administrator": "7698a772-787b-4ac8-901f-60d6b08affd2",
    "Intune Administrator": "3a2c62db-5318-420d-8d74-23affee5d9d5",
    "Windows 365 Administrator": "11451d60-acb2-45eb-a7d6-43d0f0125c13",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "SharePoint Administrator": "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "Teams Administrator": "69091246-20e8-4a56-aa4d-066075b2a7a8",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
    "Message Center Reader": "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
    "Usage Summary Reports Reader": "75934031-6c7e-415a-99d7-48dbd49e875e",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Directory Writers": "9360feb5-f418-4baa-8175-e2a00bac4301",
    "Guest Inviter": "95e79109-95c0-4d8e-aee3-d01accf2d47b",
    "Lifecycle Workflows Administrator": "59d46f88-662b-457b-bceb-5c3809e5908f",
    "Identity Governance Administrator": "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e",
    "Directory Synchronization Accounts": "d29b2b05-8046-44ba-8758-1e26182fcf32",
    "Billing Administrator": "b0f54661-2d74-4c50-afa3-1ec803f12efe",
}
"""Template ids of built-in roles."""
NAMES: Mapping[str, str] = {template: name for name, template in ROLES.items()}

NOT_A_ROLE = frozenset(
    {
        "0997a1d0-0d1d-4acb-b408-d5ca73121e90",  # what every app has in its token
        "b79fbf4d-3ef9-4689-8143-76b194e85509",  # what every person has
        "10dae51f-b6af-4016-8d66-8c2a99b929b3",  # what every guest has
    }
)
"""Ids that tokens list among the roles and that allow nothing."""

RESTRICTED = "restricted management administrative unit"
"""Stands among the roles of somebody who lies in one: no role over the whole tenant reaches in there."""

_TOP = frozenset({GLOBAL, PRIVILEGED})
_USUAL = _TOP | {USER, AUTHENTICATION}
_HELP = _USUAL | {HELPDESK}
_OVER: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "Directory Readers": (_USUAL, _HELP | {PASSWORD}),
    "Guest Inviter": (_USUAL, _HELP | {PASSWORD}),
    "Message Center Reader": (_USUAL, _HELP),
    "Reports Reader": (_USUAL, _HELP),
    "Usage Summary Reports Reader": (_USUAL, _HELP),
    PASSWORD: (_USUAL, _HELP | {PASSWORD}),
    HELPDESK: (_TOP | {USER}, _TOP | {USER, HELPDESK}),
    "Groups Administrator": (_TOP | {USER}, _TOP | {USER}),
    USER: (_TOP | {USER}, _TOP | {USER}),
    AUTHENTICATION: (_TOP | {AUTHENTICATION}, _TOP | {AUTHENTICATION}),
}
"""Role of the leaver → who may change what is sensitive, who may reset the password. Any other role: only the top."""
_ORDINARY = (_USUAL, _HELP | {PASSWORD})


def who_may(held: Iterable[str], *, password: bool) -> frozenset[str]:
    """The roles that suffice to act on somebody, each alone.

    Args:
        held: What the somebody holds: names of roles, and of groups that can hold roles.
        password: Whether the password is to be reset; else what is sensitive is to be changed, deletion included.
    """
    found = [frozenset() if role == RESTRICTED else _OVER.get(role, (_TOP, _TOP))[password] for role in held]
    return frozenset.intersection(_ORDINARY[password], *found) if found else _ORDINARY[password]


def privileged(held: Iterable[str]) -> frozenset[str]:
    """Those of the roles that raise what acting on their holder takes."""
    return frozenset(role for role in held if role not in ("Directory Readers", "Guest Inviter"))
