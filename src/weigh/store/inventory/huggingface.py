"""The Hugging Face cache: transformers, diffusers, vLLM, faster-whisper, sentence-transformers and llama.cpp use it."""

from __future__ import annotations

from weigh.store.inventory.hub_cache import repositories
from weigh.store.inventory.store import Store
from weigh.store.layouts.huggingface import LAYOUT

STORE = Store(
    id="hf", places=(LAYOUT.roots, ("$HF_HOME/diffusers", "~/.cache/huggingface/diffusers")), walk=repositories
)
