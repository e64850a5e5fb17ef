"""`annals doctor`: is everything as it should be?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from cli.database import open_database
from cli.options import DataOption, JsonOption, read_settings


def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Look at processes, memory, disk, database, followers and queues. Exits with 1 when something is wrong."""
    settings = read_settings(data)
    with open_database(settings) as database:
        from cli.diagnosis import diagnose
        from cli.serving.server_file import running_server

        symptoms = list(diagnose(settings, database, running_server(settings.run)))
    from cli.output import print_json, print_table

    troubles = [symptom.trouble for symptom in symptoms if symptom.trouble is not None]
    if as_json:
        print_json(map(asdict, symptoms))
    else:
        rows = [(symptom.topic, symptom.name, symptom.value, "!" if symptom.trouble else "") for symptom in symptoms]
        print_table(("", "what", "value", ""), rows)
        for trouble in troubles or ["Everything is as it should be."]:
            typer.echo(trouble)
    raise typer.Exit(1 if troubles else 0)
