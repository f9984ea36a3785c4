"""What programs keep on this machine: one file a store, the first that knows a file has it."""

from __future__ import annotations

from weigh.store.inventory import (
    automatic1111,
    comfyui,
    folder,
    gpt4all,
    huggingface,
    jan,
    kagglehub,
    keras,
    llamacpp,
    lmstudio,
    modelscope,
    modelscope_old,
    ollama,
    sentence_transformers,
    torch_hub,
    whisper,
)
from weigh.store.inventory.store import Store

STORES: tuple[Store, ...] = (
    huggingface.STORE,
    modelscope.STORE,
    modelscope_old.STORE,
    ollama.STORE,
    llamacpp.STORE,
    lmstudio.STORE,
    jan.STORE,
    gpt4all.STORE,
    automatic1111.STORE,
    comfyui.STORE,
    whisper.STORE,
    torch_hub.STORE,
    keras.STORE,
    kagglehub.STORE,
    sentence_transformers.STORE,
)
FOLDER = folder.STORE
