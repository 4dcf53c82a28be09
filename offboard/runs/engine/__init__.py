"""The engine: what carries runs over weeks, crashes and several processes.

Why two memories. The store knows how far each leaver is, who may act on whom, and what was intended: it is asked in the very
transaction that records an intent, so a process that was paused and wakes writes nothing. DBOS keeps turns in a queue,
waits for their time, hands each out once and survives; it cannot take work back from somebody who sleeps, and need not. The
store says which turn is to carry a leaver on, and is written first; a turn carries on exactly those who name it. So the
queue may lose a turn, or hand out one too many, and nothing is lost or done twice: `crew` deals anew what should be under
way and is not. Time in a lease is the database's, never that of the plan.

Why a run that somebody waits for is not queued: its turns begin at once in that process, without a look into a queue in
between, and are known to DBOS all the same. While the process lives, nobody else begins one; when it dies, workers do.

Why a dead process's turns are dealt anew and not recovered by DBOS: a new deal has a new number, so whoever was only
paused can neither hold back nor repeat it, and no private part of the library is needed.

`database` is SQLite or PostgreSQL behind one small protocol, `tables` what they hold and `upgrade` how older ones are
moved, `leases` who may act on whom, `presence` which processes live, `shares` how far each leaver of each run has come,
`turns` who is dealt into which turn, `onerun` that nobody has two open runs, `steering` what a person may change, `quota`
how much all processes of a tenant may write. `carry` is one turn under leases, `askguards` what is kept when guards
object, `conductor` what is done with a turn that is handed out, `outcomes` what came of it, `port` the only file that knows
DBOS, `desk` a run that somebody waits for, `crew` the processes of a tenant, `worker` one round over everything due.
"""
