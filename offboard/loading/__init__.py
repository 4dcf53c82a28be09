"""Files that people write → values: playbooks, lists of leavers, conditions, texts, times.

`playbook.load` is the door. Behind it, in the order in which a playbook passes: `yamlsource` reads strict YAML into nodes
that know their place, `schemafit` and `complaints` hold them against the schema (`grammar`, made from the action classes),
`playbookcheck` checks what a schema cannot say. Nothing here contacts anybody.
"""
