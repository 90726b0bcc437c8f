"""Tables as small HTML files that stand alone in a report."""

from html import escape
from pathlib import Path

import pandas as pd

from gbscape.store.atomic import atomic_path

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #222; margin: 1.5rem; }}
table {{ border-collapse: collapse; }}
caption {{ caption-side: bottom; text-align: left; color: #666; padding-top: .7rem; max-width: 60rem; }}
th {{ text-align: left; border-bottom: 2px solid #222; padding: .35rem .9rem .35rem 0; vertical-align: bottom; }}
td {{ border-bottom: 1px solid #ddd; padding: .35rem .9rem .35rem 0; vertical-align: top; }}
td small {{ color: #666; font-weight: normal; }}
.good {{ color: #00694d; font-weight: 600; }} .bad {{ color: #b34700; font-weight: 600; }}
</style></head><body><table><caption>{caption}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


def write_html_table(path: str | Path, table: pd.DataFrame, title: str, caption: str) -> None:
    """Write `table` (cells of text) as a page of its own.

    Further lines of a cell are set small; cells that begin with "reached" or "missed", and those of "yes" or "no", are coloured.
    """
    head = "".join(f"<th>{escape(str(c))}</th>" for c in table)
    rows = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in table.itertuples(index=False))
    with atomic_path(path) as temporary:
        page = _PAGE.format(title=escape(title), caption=escape(caption), head=head, rows=rows)
        temporary.write_text(page, encoding="utf-8")


def _cell(text: object) -> str:
    first, *rest = escape(str(text)).split("\n")
    good, bad = first == "yes" or first.split(" ")[0] == "reached", first == "no" or first.split(" ")[0] == "missed"
    kind = ' class="good"' if good else ' class="bad"' if bad else ""
    small = f"<br><small>{'<br>'.join(rest)}</small>" if rest else ""
    return f"<td{kind}>{first}{small}</td>"
