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

# A page in a notebook: what one sees of the notebook between its bars, on a low screen.
FRAME = "clamp(500px,calc(100vh - 125px),760px)"
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
.footnote{{font:12px system-ui,sans-serif;color:#7f8a99;margin:0;padding:8px 4px 0}}
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


def write_page(debugger: Any, path: Path) -> Path:
    """Write what a debugger shows to a file that steps without network and kernel."""
    path.write_text(stepper(debugger.payload(everything=True)), encoding="utf-8")
    return path


def static_html(picture: str, frame: str | None, label: str) -> str:
    """Return HTML for a saved notebook: an SVG picture that gives way to the page of `stepper`.

    A sanitizer drops `style` and `iframe`, so on GitHub, or in a notebook that is not trusted, the
    picture is seen; elsewhere the page is, in a sandbox without access to what is around it.
    """
    data = base64.b64encode(picture.encode()).decode("ascii")
    label = html.escape(label, quote=True)
    image = f'alt="{label}" src="data:image/svg+xml;base64,{data}"'
    if frame is None:
        return f'<img style="max-width:100%" {image}>'
    return (
        "<style>.minitorch-static{display:none!important}</style>"
        f'<img class="minitorch-static" {image}>'
        f'<iframe title="{label}" srcdoc="{html.escape(frame, quote=True)}" '
        f'sandbox="allow-scripts" style="width:100%;height:{FRAME};border:0"></iframe>'
    )
