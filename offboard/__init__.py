"""offboard: declarative offboarding for Microsoft Entra ID and Microsoft 365.

One idea carries the house. *What a step would do is a pure function of facts, and it is asked three times*: to be
reviewed, just before acting, and after acting. Dry run, idempotence, drift detection, crash recovery and verification
are therefore one mechanism (`planner.replan`), not five.

Rooms, from the roof down (imports go downward only; a test walks them)::

    cli                      commands, rendering, exit codes; nothing decides here
    runs                     carrying out an approved plan
    graph | audit            the only room that knows the SDK | the record for people
    planner planfile guards  pure decisions over frozen values
    playbook schema          YAML in, values out
    actions                  one file per action
    facts model errors       the nouns

`sandbox` stands apart: a simulated tenant spoken to in HTTP only.
"""

__version__ = "0.1.0"
