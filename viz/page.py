"""The debugger's browser side as one text: its small JavaScript files joined, and its styles.

The files are ordinary modules; joining gives each its own scope, so no build step is needed and
names cannot collide. Leans on theme for the colours.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from viz import theme

STATIC = Path(__file__).parent / "static"
ROOT = ".minitorch-debugger"

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
LEAD = re.compile(r"^\s*//.*\n|^\s+", re.MULTILINE)  # saved notebooks hold a copy: keep it small
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


@functools.cache
def script(entry: str) -> str:
    """Return one JavaScript module made of `static/ENTRY.js` and all that it imports."""
    modules: dict[str, str] = {}
    body = _bound(entry, modules)
    return LEAD.sub("", "".join(modules.values()) + body)


def _bound(name: str, modules: dict[str, str]) -> str:
    """Return a file with its imports bound to modules that stand before it, adding those."""
    text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    for _, imported in IMPORT.findall(text):
        if imported in modules:
            continue
        body = _bound(imported, modules)
        exported = ", ".join(EXPORT.findall(body))
        scope = f"{EXPORT.sub('', body)}return {{ {exported} }};"
        modules[imported] = f"const module_{imported} = (() => {{\n{scope}\n}})();\n"
    return IMPORT.sub(r"const {\1} = module_\2;\n", text)


@functools.cache
def style() -> str:
    """Return the stylesheet: the theme's colours as variables, then the rules that use them."""
    light, dark = (
        "".join(f"--{name}:{color};" for name, color in colors.items())
        for colors in (theme.LIGHT, theme.DARK)
    )
    colors = (
        f"{ROOT}{{{light}}}"
        f"@media (prefers-color-scheme:dark){{{ROOT}:not([data-theme=light]){{{dark}}}}}"
        f"{ROOT}[data-theme=dark]{{{dark}}}"
    )
    return f"{colors}\n{(STATIC / 'debugger.css').read_text(encoding='utf-8')}"
