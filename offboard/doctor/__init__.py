"""Whether everything is in place, before a run is planned: sign-in, rights, clock, files, policy.

Why a room of its own: a plan says what *it* lacks; whoever sets up an app registration wants to know beforehand, for a
playbook and no leaver at all, and wants to be told what is too much as well. It writes nothing to the tenant, and nothing
to the audit.

`diagnosis` holds the values and the verdict, `surroundings` looks at files and clock, `rights` holds the sign-in against
the playbook and the leaver, `text` says it.
"""
