"""What a server of models may be told: each flag, and each key of its TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from weigh.core.errors import SourceError, TableError
from weigh.core.value import Value

MOST_PORT = 65535


class ModelSetting(Value, frozen=True, kw_only=True):
    """One model: where it is, what it is called, and what is known better than by us.

    `address` is of a server of the user's that runs it already, `name` what it is called there; `key` opens it, or
    what the environment says under the name of `key_variable`.
    """

    reference: str
    engine: str | None = None
    context_length: int | None = None
    parallel: int | None = None
    n_gpu_layers: int | None = None
    kv: str | None = None
    device: str | None = None
    pinned: bool | None = None
    idle_seconds: float | None = None
    allow_pickle: bool | None = None
    trust_remote_code: bool | None = None
    interpreter: str | None = None
    address: str | None = None
    name: str | None = None
    key: str | None = None
    key_variable: str | None = None


class Settings(Value, frozen=True, kw_only=True):
    """`references` are served under their own names.

    `models` by the names that clients ask for. `idle_seconds`: a model that nobody used for so long is let go.

    `queue`: jobs that may wait for one model; `wait_seconds`: how long; `job_seconds`: how long one may take.
    `stall_seconds`: how long a client may take nothing of its answer.
    `media_number` and `media_seconds`: how many videos are kept, and how long.
    `memory`: bytes for all models together, None for what this machine has free.
    """

    references: tuple[str, ...] = ()
    models: Mapping[str, ModelSetting] = {}
    host: str | None = None
    port: int | None = None
    api_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    tls_certificate: str | None = None
    tls_key: str | None = None
    parallel: int = 4
    queue: int = 32
    wait_seconds: float = 120.0
    job_seconds: float = 3600.0
    idle_seconds: float = 600.0
    drain_seconds: float = 10.0
    stall_seconds: float = 60.0
    body_bytes: int = 64 << 20
    memory: int | None = None
    context_length: int | None = None
    media_folder: str | None = None
    media_number: int = 100
    media_seconds: float = 86400.0
    log_prompts: bool | None = None
    traces: bool | None = None
    allow_pickle: bool | None = None
    policy: str | None = None
    yes: bool | None = None
    offline: bool | None = None
    quiet: bool | None = None
    lang: Literal["en", "zh"] | None = None
    as_json: bool | None = None


# A flag's own spelling, where its key is another.
_SPELT = {"api_key": "api_keys", "cors_origin": "cors_origins", "context": "context_length", "json": "as_json"}
_LISTS = ("api_keys", "cors_origins", "references")
_LEAST = {"parallel": 1, "media_number": 1, "body_bytes": 1, "context_length": 1}
_SECONDS = ("wait_seconds", "job_seconds", "idle_seconds", "drain_seconds", "stall_seconds", "media_seconds")


def read_settings(path: str) -> Settings:
    """Raises SourceError for a file that cannot be read, TableError for a key or a value that is none."""
    try:
        with open(path, "rb") as file:
            return checked(msgspec.convert(_keyed(tomllib.load(file)), Settings), path)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise TableError("settings", path=path, problem=str(error)) from error


def checked(settings: Settings, path: str) -> Settings:
    """The same. Raises TableError for a number that cannot be, from the file or from a flag."""
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least = _LEAST.get(name, 0)
        is_endless = name in _SECONDS and value != value
        if is_endless or value < least or (name == "port" and value > MOST_PORT):
            raise TableError("settings", path=path, problem=f"`{name}`: {value:g}")
    return settings


def _keyed(table: dict[str, Any]) -> dict[str, Any]:
    """Each key by the name it has here: a flag's own spelling is taken too, and one text for a list of one."""
    named = _spelt(table)
    if isinstance(models := named.get("models"), dict):
        named["models"] = {name: _spelt(one) if isinstance(one, dict) else one for name, one in models.items()}
    return {key: [value] if key in _LISTS and isinstance(value, str) else value for key, value in named.items()}


def _spelt(table: dict[str, Any]) -> dict[str, Any]:
    return {_SPELT.get(key.replace("-", "_"), key.replace("-", "_")): value for key, value in table.items()}
