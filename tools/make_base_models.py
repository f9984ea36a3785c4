"""Write knowledge/base_models.json: published shapes, each with what the decoder reads in the model's name."""

from __future__ import annotations

import json
from pathlib import Path

from weigh.core.name import Name
from weigh.names.decode import decode

HERE = Path(__file__).parent
TABLE = HERE.parent / "src" / "weigh" / "knowledge" / "base_models.json"
SHAPE = (
    "num_hidden_layers hidden_size intermediate_size num_attention_heads num_key_value_heads head_dim vocab_size"
    " max_position_embeddings"
).split()


def main() -> None:
    """All rows, sorted."""
    lines = (HERE / "base_models.txt").read_text("utf-8").splitlines()
    rows = sorted((row(line) for line in lines if line and not line.startswith("#")), key=lambda one: str(one["id"]))
    text = ",\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
    TABLE.write_text(f"[\n{text}\n]\n", "utf-8")
    print(f"{len(rows)} rows")


def row(line: str) -> dict[str, object]:
    """One line as a row: `hub id | billions | model_type | shape | more keys`."""
    hub_id, billions, model_type, shape, *more = (part.strip() for part in line.split("|"))
    *counts, tied = shape.split()
    config: dict[str, object] = {"model_type": model_type} if counts else {}
    if counts:
        config |= {key: int(count) for key, count in zip(SHAPE, counts, strict=True) if count != "-"}
        config["tie_word_embeddings"] = tied == "yes"
    for pair in " ".join(more).split():
        key, count = pair.split("=")
        config[key] = int(count)
    name = decode(hub_id.split("/")[1])
    return {
        "id": name.name.lower(),
        "source": f"https://huggingface.co/{hub_id}",
        **said(name),
        "parameters_b": float(billions),
        "config": config,
    }


def said(name: Name) -> dict[str, object]:
    """The fields by which a name is found; those that it does not say are left out."""
    size = name.size
    base = [part.value for part in name.parts if part.kind == "base" and part.value]
    found = {
        "family": name.family,
        "version": name.version,
        "total_b": size.total_b if size is not None else None,
        "active_b": size.active_b if size is not None else None,
        "experts": size.experts if size is not None else None,
        "expert_b": size.expert_b if size is not None else None,
        "tier": list(name.tier),
        "base": base,
        "function": list(name.function),
        "modality": list(name.modality),
        "date": name.date,
        "context_tokens": name.context_tokens,
        "language": list(name.language),
        "kind": name.kind,
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


if __name__ == "__main__":
    main()
