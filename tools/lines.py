"""Lines of Python by folder of the package, at two commits, as a Markdown table.

python tools/lines.py BEFORE [NOW] > docs/results/lines.md
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

_GIT = "git"


def _lines(commit: str) -> Counter[str]:
    """Lines of the Python files, by folder of ``assistant/``."""
    wanted = ["grep", "-c", "", commit, "--", "assistant/*.py"]
    told = subprocess.run([_GIT, *wanted], capture_output=True, text=True, check=True)  # noqa: S603
    found: Counter[str] = Counter()
    for line in told.stdout.splitlines():
        _, path, count = line.rsplit(":", 2)
        parts = path.split("/")
        found[parts[1] if len(parts) > 2 else "."] += int(count)
    return found


def main() -> None:
    """Print the table."""
    before, now = sys.argv[1], (sys.argv[2:] or ["HEAD"])[0]
    old, new = _lines(before), _lines(now)
    print(f"# Lines of Python in `assistant/`\n\n`python tools/lines.py {before}`\n")
    rows: list[tuple[str | int, ...]] = [("folder", "before", "now", "change"), ("---",) * 4]
    names = sorted(old | new, key=lambda n: -max(old[n], new[n]))
    totals = [("in folders that were there", [n for n in names if n in old])]
    totals += [("in new folders", [n for n in names if n not in old]), ("all", names)]
    rows += [(n, old[n], new[n], new[n] - old[n]) for n in names]
    for title, part in totals:
        a, b = sum(old[n] for n in part), sum(new[n] for n in part)
        rows.append((f"**{title}**", a, b, b - a))
    print("\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows))


if __name__ == "__main__":
    main()
