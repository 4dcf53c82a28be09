"""The sandbox: a tenant of Microsoft Entra ID, simulated, and spoken to in HTTP only.

It keeps people, devices, groups, roles, licenses, sign-in methods, consents and a recycle bin in one SQLite file and
answers Graph v1.0's paths with Graph's shapes, status codes and error envelopes, `$batch` and the sign-in endpoints
included. It imports nothing else of offboard, and anything that speaks to Graph can speak to it.

    from offboard.sandbox.tenant import Sandbox                  in process: Sandbox.open(folder).handle(request)
    from offboard.sandbox.transport import SandboxTransport      as an httpx transport
    from offboard.sandbox.server import serve, ServerThread      over a socket, with or without TLS

Simulated, beyond reading and writing properties: names are mangled on deletion and given back on restoration, and
deleted people are gone after thirty days; the last owner of a group, dynamic, synced, mail-enabled and role-assignable
groups refuse what Graph refuses; licenses through groups cannot be taken away directly and go with the membership;
seats run out; the default sign-in method goes last; guests shrug off a revocation; synced people refuse what is
mastered on-premises; a wipe or a retire in Intune is pending until the device checks in, and then the device is gone;
who may put themselves into a group (PIM for groups) and what a mailbox is for can be read; `DELETE …/members/{id}`
without `/$ref` deletes the person. `$select`, `$filter`, `$orderby`, `$search`, `$count`, `$expand`, `$top` and
paging follow the directory's rules, advanced queries with their header included. On request: permissions and roles
are enforced, published quotas throttle, reads lag behind writes, and faults strike by script. Every executed write is
in the journal, in the same transaction as its effect.

Not simulated:
- the beta version; delta queries; `$skip`, nested `$expand`, `all()`, functions other than startsWith and endsWith
- Exchange but for `userPurpose`; Intune but for managed devices, their users, wipe and retire; Teams, SharePoint,
  OneDrive, access packages, Lifecycle Workflows, audit and sign-in logs
- administrative units and roles scoped to them (an object marked `isManagementRestricted` refuses every sensitive
  write when permissions are enforced); custom roles; activation of eligible roles and memberships; PIM requests
- rules of dynamic groups: their members are those of the seed and do not follow attributes
- synchronization with an on-premises directory: nothing comes back or is overwritten by itself
- effects on running sessions: a revoked or disabled person's tokens of this sandbox stay good until they expire,
  as Graph tokens do; Continuous Access Evaluation and Conditional Access do not exist
- conditions that only the real service knows: password history and banned words, the precise text of some messages,
  throttling below the published limits, the order in which replicas catch up (here all lag alike)
- a password reset does not touch `signInSessionsValidFromDateTime`; only revoking does
- directory extensions, custom security attributes, open extensions

Why one room spoken to in HTTP: a fake of the wire can be checked against other people's clients, a fake of our own
functions only against ourselves. Why SQLite: see `store`.
"""
