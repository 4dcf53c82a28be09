"""The only room that knows msgraph-sdk and azure-identity.

`connect` makes a signed-in connection of a tenant's configuration; `credentials` knows the kinds of sign-in and
`signintrouble` what goes wrong with them. `send` is the one place where anything goes over the wire, `answers` is what
comes back. `read` turns answers into facts, `parse` word for word. `trouble` says in people's words what Graph's errors
mean; `token` looks into our own sign-in token.

Why the SDK's builders without its pipeline: the builders know Graph's paths, the pipeline re-sends writes on its own,
reads `Retry-After` wrongly and needs 0.8 s to load the models it would parse answers with.

Why allowed hosts are always set: a token provider of the SDK with an empty list gives the token to any host that a
link or a redirect names.
"""
