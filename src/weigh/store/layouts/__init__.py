"""How programs lay out the models they keep: one file a layout."""

from __future__ import annotations

from weigh.store.layouts import folder, huggingface, modelscope
from weigh.store.layouts.layout import Layout

LAYOUTS: tuple[Layout, ...] = (huggingface.LAYOUT, modelscope.LAYOUT)
FOLDER = folder.LAYOUT
