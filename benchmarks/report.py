"""How a benchmark is asked and tells what it found: a table with the machine and the day, kept in ``results/``.

Each runs as ``python -m benchmarks.NAME [DATE]``; ``make bench`` runs them all.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def parser() -> argparse.ArgumentParser:
    """What every benchmark may be asked: the date that its results bear, today by default."""
    asked = argparse.ArgumentParser()
    asked.add_argument("date", nargs="?", default=time.strftime("%Y-%m-%d"))
    return asked


def machine() -> str:
    """Where this was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def tell(name: str, title: str, date: str, text: str, *, keep: bool = True) -> None:
    """Print what was found, and keep it as ``results/NAME.md``."""
    page = f"# {title}\n\n{date}; {machine()}.\n\n{text.strip()}\n"
    print(page)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(page, encoding="utf-8")
