"""Evidence about a run, for people who were not there: auditors, HR, a court.

Why from the audit alone: it is the one record that can be checked by somebody else, so a report made from anything besides
it would claim what nobody can verify. No clock and no tenant is asked; made twice, it is the same to the byte, also after
later runs have been added to the log.

`collect` turns records into values, `evidence` says them in sections, and one small renderer each makes HTML, Markdown
or JSON of these.
"""
