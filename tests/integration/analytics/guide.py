"""Types a guide's examples and takes down what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from clickhouse_connect.driver.client import Client

EXAMPLE = re.compile(
    r"```(?P<language>python|sql|grafana)\n(?P<text>.*?)```\n(?:\n```\n(?P<output>.*?)```\n)?", re.DOTALL
)
PRETTY = {"output_format_pretty_color": 0, "output_format_pretty_row_numbers": 0}
BETWEEN = "-- between two examples --\n"


def played(page: str, client: Client, port: int) -> str:
    """The page with the outputs that its examples really have."""
    scripts = [match["text"] for match in EXAMPLE.finditer(page) if match["language"] == "python"]
    outputs = _python(scripts, port)

    def play(match: re.Match[str]) -> str:
        text = match["text"]
        if match["language"] == "grafana":
            assert client.query(expanded(text)).result_rows
            return match[0]
        output = next(outputs) if match["language"] == "python" else _sql(text, client)
        return f"```{match['language']}\n{text}```\n\n```\n{output}```\n"

    return EXAMPLE.sub(play, page)


def expanded(panel: str) -> str:
    """The macros, as the plugin would write them for the whole campaign."""
    panel = panel.replace("$__timeInterval(timestamp)", "toStartOfInterval(timestamp, INTERVAL 60 second)")
    return panel.replace(
        "$__timeFilter(timestamp)", "timestamp >= toDateTime(0) AND timestamp <= toDateTime(2000000000)"
    )


def _python(scripts: list[str], port: int) -> Iterator[str]:
    """All in one program, as a reader types them one after another."""
    program = f"print({BETWEEN!r}, end='')\n".join(scripts).replace("port=8123", f"port={port}")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return iter(ran.stdout.split(BETWEEN))


def _sql(text: str, client: Client) -> str:
    return client.raw_query(text, fmt="PrettyCompactMonoBlock", settings=PRETTY).decode()
