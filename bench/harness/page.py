# SPDX-License-Identifier: MIT OR Apache-2.0
"""The page docs/performance.md and its plots docs/performance-NAME.svg, into which results are put."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def fill(section, blocks):
    """Replaces what stands between each line `<!-- SECTION: NAME -->` and the next `<!-- end -->` by the
    lines of the block of that name."""
    page = DOCS / "performance.md"
    marked = re.compile(rf"(<!-- {section}: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
    page.write_text(marked.sub(lambda m: "\n".join([m[1], *blocks[m[2]], "", m[3]]), page.read_text()))


def draw(name, drawing):
    """Writes a plot."""
    (DOCS / f"performance-{name}.svg").write_text(drawing)
