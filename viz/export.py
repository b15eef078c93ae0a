"""A recording as one HTML file that steps by itself, and as what a notebook keeps of a debugger.

Nothing is fetched: script, style and data lie in the file, and its own policy forbids the network.
Leans on page for the browser side.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viz import page

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
body{{margin:0;padding:{padding}px;background:#fff;color-scheme:light dark}}
@media (prefers-color-scheme:dark){{body{{background:#0e1116}}}}
.footnote{{font:12px system-ui,sans-serif;color:#7f8a99;margin:8px 4px}}
{style}
</style>
</head>
<body>
<div id="debugger">This page needs JavaScript to step through the recording.</div>
<script type="application/json" id="recording">{data}</script>
<script>
"use strict";
{script}</script>
</body>
</html>
"""


def stepper(payload: Mapping[str, Any], *, padding: int = 16) -> str:
    """Return the self-contained page of a recording, for a browser without network and kernel."""
    return PAGE.format(
        policy=POLICY,
        title=html.escape(str(payload["title"])),
        padding=padding,
        style=page.style(),
        data=as_script_data(payload),
        script=page.script("step"),
    )


def as_script_data(payload: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def save(payload: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page of a recording to a file; its folder must exist."""
    path = Path(path)
    path.write_text(stepper(payload), encoding="utf-8")
    return path


def mimebundle(
    payload: Mapping[str, Any], picture: bytes, picture_type: str, text: str, *, height: int = 760
) -> dict[str, str]:
    """Return what a notebook keeps: words, and a picture that gives way to the stepper.

    A sanitizer drops `style` and `iframe`, so on GitHub or in a notebook that is not trusted the
    picture appears; elsewhere the stepper does, in a sandbox without access to the page around.
    """
    encoded = base64.b64encode(picture).decode("ascii")
    label = html.escape(text, quote=True)
    frame = html.escape(stepper(payload, padding=2), quote=True)
    return {
        "text/plain": text,
        "text/html": (
            "<style>.minitorch-static{display:none!important}</style>"
            f'<img class="minitorch-static" alt="{label}" '
            f'src="data:{picture_type};base64,{encoded}">'
            f'<iframe title="{label}" srcdoc="{frame}" sandbox="allow-scripts" '
            f'style="width:100%;height:{height}px;border:0"></iframe>'
        ),
    }
