"""Carrying out an approved plan.

Why an executor of stages: consecutive reversible steps of one leaver leave together, in the author's order, each
depending on the success of the one before; a step that may lose something leaves alone, after everything before it was
read back. That costs four requests for a whole leaver instead of one per call, and never deletes anybody on a hope.

Why a store beside the audit: the audit is for people and is never read by the engine. The store keeps what the engine
needs to know again: which plans are consumed, and the instant of each intent.

Why `leftovers`: Graph's directory is many copies, and each may be a minute behind or out of reach for a moment. Whatever a
reading says against something that was done within that minute is not believed at once, and what could not be read is not
forgotten.
"""
