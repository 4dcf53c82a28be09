"""`offboard schema`: the published JSON Schemas."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app


@click.command("schema", epilog="Example:  offboard schema playbook > playbook.schema.json")
@click.argument("name", type=click.Choice(["playbook", "plan", "audit", "tenants"]))
@pass_app
def command(app: App, name: str) -> int:
    """Print the JSON Schema (2020-12) of playbooks, plans, audit records or offboard.toml. Contacts nobody."""
    from offboard.schema import schema

    app.out_json(schema(name))
    return 0
