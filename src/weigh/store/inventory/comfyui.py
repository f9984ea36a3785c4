"""ComfyUI's models folder, by what each file is for."""

from __future__ import annotations

import os

from weigh.store.inventory.store import Store
from weigh.store.inventory.walk import models_below

STORE = Store(
    id="comfyui",
    places=(("$COMFYUI_PATH", "~/ComfyUI"), ("~/Documents/ComfyUI",)),
    walk=lambda root: models_below(os.path.join(root, "models")),
)
