"""The pages of a catalogue: templates, filled in, beside the files that they need."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowmill.counted import counted
from flowmill.report.explanation import text_of
from flowmill.site import comparison
from flowmill.site.alike import alike
from flowmill.site.catalogue import Catalogue
from flowmill.site.graphs import graphs, styles
from flowmill.site.values import parted

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent


def pages(catalogue: Catalogue) -> dict[str, bytes]:
    """All files of the site by their paths; the same bytes for the same catalogue."""
    found = {name: text.encode() for name, text in _pages(catalogue)}
    found["assets/graph.css"] = styles()
    return found | {f"assets/{path.name}": path.read_bytes() for path in sorted((_HERE / "assets").iterdir())}


def _pages(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    fill = _Filling(catalogue)
    yield "index.html", fill("index.html", up="")
    for flow in catalogue.flows:
        yield f"flows/{flow.name}.html", fill("flow.html", flow=flow, graphs=list(graphs(flow)))
    for project in catalogue.projects:
        yield f"projects/{project.name}.html", fill("project.html", project=project)
    for server in catalogue.servers:
        yield f"servers/{server.name}.html", fill("server.html", server=server)


class _Filling:
    """Fills templates in; every text of a user is escaped, for it is put in by `{{ }}` alone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._templates = _environment()

    def __call__(self, template: str, up: str = "../", **values: Any) -> str:
        return self._templates.get_template(template).render(site=self._catalogue, up=up, **values) + "\n"


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": _day,
        "clock": _clock,
        "utc": _utc,
        "iso": datetime.isoformat,
        "one_line": text_of,
        "parted": parted,
    }
    made.globals |= {"counted": counted, "comparison": comparison.rows, "alike": alike}
    return made


def _day(moment: date) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def _clock(moment: datetime) -> str:
    """The time of day with its zone, as an offset where the zone has no letters."""
    return f"{moment:%H:%M %Z}"


def _utc(moment: datetime) -> str:
    """The same moment in UTC, with the day where that is another one."""
    there = moment.astimezone(UTC)
    return f"{there:%H:%M}" if there.date() == moment.date() else f"{there:%H:%M}, {_day(there)}"
