"""A column's shape as a small picture (SVG) and in words. Pure.

The picture stands in HTML as it is: no script, no style sheet, nothing loaded. Its title says
the same in words, for those who do not see it and where a page drops pictures of this kind.
"""

from __future__ import annotations

from bluebear_magic.context.shapes import Shape
from bluebear_magic.present import escape, formats, tables
from bluebear_magic.records import Scalar

WIDTH, HEIGHT = 132, 30
_WORDS = 5  # bars of words; one more for all others
_GAP = 1
_LEAST = 1.5  # height of a bar of one value, so that it is seen
# JupyterLab's accent, which follows its theme; else a blue that shows on light and on dark.
_FILL = "var(--jp-brand-color1,#4c8bd6)"
_REST = "var(--jp-ui-font-color3,#8a8a8a)"


def svg(shape: Shape) -> str:
    """The picture; '' where there is nothing to draw."""
    drawn = _upright(shape.bars) if shape.bars else _lying(shape)
    if not drawn:
        return ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'style="display:block;min-width:72px">'
        f"<title>{tables.markup(words(shape))}</title>{drawn}</svg>"
    )


def words(shape: Shape) -> str:
    """What the picture shows, in a sentence; '' where there is none."""
    if shape.top:
        shown = [f"{escape.line(word, 30)} {count:,}" for word, count in shape.top[:_WORDS]]
        rest = _others(shape)
        return ", ".join(shown + [f"others {rest:,}"] * bool(rest))
    if not shape.bars:
        return ""
    ends = f"{scalar(shape.low)} to {scalar(shape.high)}"
    if len(shape.bars) == 1:
        return f"{tables.counted(shape.bars[0], 'value')}, all {scalar(shape.low)}"
    most = max(shape.bars)
    where = shape.bars.index(most) + 1
    told = f"{ends} in {len(shape.bars)} equal parts, most ({most:,}) in part {where}"
    return told + (f"; {shape.odd:,} beyond" if shape.odd else "")


def scalar(value: Scalar | None) -> str:
    """An end of a range as a person writes it."""
    return "" if value is None else escape.line(formats.plain_text(value), 40)


def _others(shape: Shape) -> int:
    """Values that are none of the most frequent words."""
    return shape.rows - shape.nulls - sum(count for _, count in shape.top[:_WORDS])


def _upright(bars: tuple[int, ...]) -> str:
    step, most = WIDTH / len(bars), max(bars)
    gap = min(_GAP, step / 4)
    boxes = []
    for index, count in enumerate(bars):
        if count:
            height = max(_LEAST, HEIGHT * count / most)
            boxes.append(_box(index * step, HEIGHT - height, step - gap, height))
    return _path(boxes, _FILL)


def _lying(shape: Shape) -> str:
    """A bar for each of the most frequent words, and a grey one for the others together."""
    counts = [count for _, count in shape.top[:_WORDS]]
    if not counts:
        return ""
    rest = _others(shape)
    step, most = HEIGHT / max(3, len(counts) + bool(rest)), max([*counts, rest])
    boxes = [
        _box(0, index * step, max(_LEAST, WIDTH * count / most), step - _GAP)
        for index, count in enumerate([*counts, rest])
    ]
    return _path(boxes[:-1], _FILL) + (_path(boxes[-1:], _REST) if rest else "")


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"


def _path(boxes: list[str], fill: str) -> str:
    """All bars of a colour at once: a card of a hundred columns stays small."""
    return f'<path d="{"".join(boxes)}" style="fill:{fill}"/>'
