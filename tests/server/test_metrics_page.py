"""The page of the metrics says what there is, name by name."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from novel_tasks_server.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def rows(metrics: Metrics) -> list[str]:
    """Write the row of every metric, as the page has it."""
    labels = {m._name: m._labelnames for m in vars(metrics).values() if isinstance(m, MetricWrapperBase)}
    return [
        f"| `{family.name}{'_total' if family.type == 'counter' else ''}` | {family.type} |"
        f" {', '.join(f'`{label}`' for label in labels.get(family.name, ()))} | {family.documentation} |"
        for family in metrics.registry.collect()
    ]


def test_the_page_lists_every_metric_and_no_other() -> None:
    """Names, kinds, labels and meanings are those of the registry: whoever renames one breaks somebody's alert."""
    table = PAGE.read_text(encoding="utf-8").partition("|---|---|---|---|\n")[2].partition("\n\n")[0]
    listed = table.splitlines()
    assert sorted(listed) == sorted(rows(Metrics()))
