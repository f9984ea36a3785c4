"""Search over the whole catalogue: every query in process, and what the catalogue adds to a command that needs it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench.timing import compare

QUERIES = Path(__file__).parents[1] / "tests" / "cases" / "catalog_queries.txt"
WITHOUT = "import sys; sys.argv = ['weigh', 'name', 'Qwen3-8B', '--json']; from weigh.cli.main import main; main()"
WITH = "import sys; sys.argv = ['weigh', 'catalog', 'qwen3', '--json']; from weigh.cli.main import main; main()"
REPORT = "import sys; sys.argv = ['weigh', 'Qwen3-8B', '--json']; from weigh.cli.main import main; main()"
PLAIN_REPORT = (
    "import weigh.app.provenance as provenance; provenance.provenance = lambda whole, day: None\n" + REPORT
)  # the same with the catalogue left out


def search(repeats: int = 5) -> None:
    """Milliseconds a query, its best of so many, after the first one has built the index."""
    from weigh.app.catalog import catalog

    asked = [line.split("\t")[0] for line in QUERIES.read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    started = time.perf_counter()
    catalog(asked[0])
    first = time.perf_counter() - started
    taken = {query: min(_seconds(query) for _ in range(repeats)) for query in asked}
    slowest = max(taken, key=lambda query: taken[query])
    print(f"Search, {len(asked)} queries over everything")
    print(f"  the first, with its index         {first * 1000:9.1f} ms")
    print(f"  median after it                   {statistics.median(taken.values()) * 1000:9.1f} ms")
    print(f"  slowest after it                  {taken[slowest] * 1000:9.1f} ms   ({slowest})")


def _seconds(query: str) -> float:
    from weigh.app.catalog import catalog

    started = time.perf_counter()
    catalog(query)
    return time.perf_counter() - started


if __name__ == "__main__":
    search()
    medians = compare("`weigh catalog qwen3 --json`", WITH, {"weigh name": WITHOUT}, rounds=15)
    print(f"  weigh catalog takes {(medians['weigh'] - medians['weigh name']) * 1000:.0f} ms more than weigh name")
    medians = compare("`weigh Qwen3-8B --json`", REPORT, {"without the catalogue": PLAIN_REPORT}, rounds=15)
    print(f"  the catalogue adds {(medians['weigh'] - medians['without the catalogue']) * 1000:.0f} ms to a report")
