"""Pages of a training as self-contained HTML: no script, no outside request."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

_PAGES: Final = Environment(
    loader=PackageLoader("training", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(template: str, **values: object) -> str:
    """The named template with these values, everything escaped that is not markup of ours."""
    return _PAGES.get_template(template).render(**values)
