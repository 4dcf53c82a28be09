"""The engine: what carries runs over weeks, crashes and several processes.

Why a lease in our own store: who may write to a person is decided in the very transaction that records the intent. A
library's queue hands work out once, but cannot take it back from a process that was paused and wakes; a row that is
checked when the intent is written, and once more just before a request leaves, can. Time in a lease is the database's,
never that of the plan. What is due stands in the same store, so nothing has to be kept in step with a queue beside it.

`database` is SQLite or PostgreSQL behind one small protocol, `tables` what they hold, `leases` who may act on whom,
`shares` how far each leaver of each run has come, `onerun` that nobody has two open runs, `steering` what a person may
change, `carry` one turn of a run under leases, `askguards` what becomes of those whom the guards stop, `worker`
turn after turn until stopped, `quota` how much all processes of a tenant may write.
"""
