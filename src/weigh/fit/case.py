"""What is to be placed: a network's shape, its bytes, how it is asked for, and how much of that is estimated."""

from __future__ import annotations

from collections.abc import Callable

from weigh.core.architecture import Architecture
from weigh.core.fit import Interval, Memory
from weigh.core.value import Value
from weigh.fit import llamacpp, vllm
from weigh.fit.purposes import Purpose, Training, once, trained
from weigh.fit.terms import summed, with_more
from weigh.fit.weights import Weights

MIB = 1 << 20
CUDA_CONTEXT = 450 * MIB  # each GPU; logged 451 to 456 MiB
TORCH_OVERHEAD = 600 * MIB  # CUDA context, library workspaces, allocator
MLX_OVERHEAD = 200 * MIB
# A graph on a GPU needs more than on a processor, by how much is not known without one.
GPU_COMPUTE_LESS, GPU_COMPUTE_FACTOR, GPU_COMPUTE_MORE = 0.9, 1.3, 150 * MIB
PICTURE_MORE = 700 * MIB  # of a projector's work with the largest pictures
PROCESS = 24 * MIB  # of a llama.cpp that has loaded nothing
USUAL_COMPUTE = 300 * MIB  # where no shape says it
MARGIN = 0.02  # of all of it: what no closed form counts

ENGINES = ("llama.cpp", "ollama", "vllm", "transformers", "mlx", "diffusers")


class Case(Value, frozen=True, kw_only=True):
    """`architecture` is None where only a name is known: then the cache is `kv_per_token` bytes, within a factor of
    `doubt` either way. `name` is what a command line calls it. `exact` is llama.cpp's own account on a processor,
    without the weights. `projector`, `draft` and `adapters` are what is loaded beside it, in bytes;
    `beside` names their files on a command line. `part`: the largest part of a pipeline, whose parts work in turn.
    """

    name: str
    weights: Weights
    packed: bool
    basis: str
    shapes: str | None = None
    quant: str | None = None
    estimated: tuple[str, ...] = ()
    architecture: Architecture | None = None
    exact: Memory | None = None
    kv_per_token: int | None = None
    doubt: float = 1.0
    context_length: int
    parallel: int = 1
    ubatch: int = 512
    kv: str = "f16"
    kv_values: str | None = None
    projector: int = 0
    draft: int = 0
    adapters: int = 0
    beside: tuple[str, ...] = ()
    flash_attention: bool = True
    purpose: Purpose = "generate"
    train: Training | None = None
    pixels: int = 1 << 20
    frames: int = 1
    part: int | None = None

    @property
    def speaks(self) -> bool:
        """Whether it writes text, word by word."""
        return self.purpose == "generate" and self.train is None


def memory(case: Case, engine: str, *, gpu: bool, share: int = 1) -> Memory:
    """What it takes in all on `share` devices alike, as this engine lays it out."""
    need = _alone(case, engine, gpu=gpu, share=share)
    more = {"projector": case.projector, "draft": case.draft, "adapters": case.adapters}
    return with_more(need, **more) if any(more.values()) else need


def _alone(case: Case, engine: str, *, gpu: bool, share: int) -> Memory:
    beside = (TORCH_OVERHEAD if gpu else 0) * share
    if case.train is not None:
        return trained(case, case.train, beside)
    if case.purpose != "generate":
        return once(case, beside)
    return _LAYOUTS[engine](case, gpu, share)


def upper(need: Memory, case: Case, graph: Interval | None = None) -> int:
    """The most that it may take: the total, and what of it is not sure."""
    unsure = (case.doubt - 1) * need.kv_cache + MARGIN * need.total + (PICTURE_MORE if case.projector else 0)
    return round(need.total + unsure + (graph.high - graph.typical if graph is not None else 0))


def graph_on(case: Case, engine: str, *, gpu: bool, share: int = 1) -> Interval | None:
    """What llama.cpp's graph may take on cards: little less than on a processor, or as much more as its copies of what
    goes from card to card and, of builds before 2026, logits for a whole batch.
    """
    if not gpu or engine not in ("llama.cpp", "ollama") or not case.speaks:
        return None
    step = case.exact.compute if case.exact is not None else _step(case)
    vocab = (case.architecture.vocab_size if case.architecture is not None else None) or 0
    return Interval(
        low=round(step * GPU_COMPUTE_LESS) * share,
        typical=_on_card(step) * share,
        high=(_on_card(step) + 4 * vocab * case.ubatch) * share,
    )


def _on_card(step: int) -> int:
    return round(step * GPU_COMPUTE_FACTOR) + GPU_COMPUTE_MORE


def setting_of(case: Case) -> llamacpp.Setting:
    """How llama.cpp is started for it."""
    return llamacpp.Setting(
        context_length=case.context_length,
        parallel=case.parallel,
        ubatch=case.ubatch,
        kv=case.kv,
        kv_values=case.kv_values,
        flash_attention=case.flash_attention,
    )


def _llamacpp(case: Case, gpu: bool, share: int) -> Memory:
    planned = case.exact or _by_form(case)
    step = _on_card(planned.compute) if gpu else planned.compute
    return summed(
        weights=case.weights.total,
        kv_cache=planned.kv_cache,
        recurrent_state=planned.recurrent_state,
        compute=step * share,
        output=planned.output,
        overhead=CUDA_CONTEXT * share if gpu else PROCESS,
    )


def _by_form(case: Case) -> Memory:
    """What the closed forms say; where there is no shape, what is usual."""
    shape, setting = case.architecture, setting_of(case)
    if shape is None:
        return summed(
            weights=0, kv_cache=_guessed_kv(case), recurrent_state=0, compute=USUAL_COMPUTE, output=0, overhead=0
        )
    return summed(
        weights=0,
        kv_cache=llamacpp.kv_cache(shape, setting),
        recurrent_state=llamacpp.recurrent_state(shape, setting),
        compute=_step(case),
        output=llamacpp.output(shape, setting),
        overhead=0,
    )


def _step(case: Case) -> int:
    found = llamacpp.compute(case.architecture, setting_of(case)) if case.architecture is not None else None
    return found if found is not None else USUAL_COMPUTE


def _vllm(case: Case, gpu: bool, share: int) -> Memory:
    """Of all GPUs: those that share a layer hold their part of it, those that follow each other their layers."""
    shape = case.architecture
    tensor, stages = vllm.split(shape, share)
    setting = vllm.Setting(
        context_length=case.context_length, parallel=case.parallel, tensor_parallel=tensor, kv=case.kv
    )
    return summed(
        weights=case.weights.total,
        kv_cache=vllm.kv_cache(shape, setting) * tensor if shape is not None else _guessed_kv(case),
        recurrent_state=vllm.recurrent_state(shape, setting) * tensor if shape is not None else 0,
        compute=vllm.activations(shape, setting) * tensor * stages if shape is not None else 500 * MIB * share,
        output=0,
        overhead=vllm.NON_TORCH * share,
    )


def _torch(case: Case, overhead: int) -> Memory:
    """Keys and values in sixteen bits, as long as the sequence; activations of one prompt."""
    plain = llamacpp.Setting(context_length=case.context_length, parallel=case.parallel, ubatch=0)
    shape = case.architecture
    setting = vllm.Setting(context_length=case.context_length, batched_tokens=min(case.context_length, 2048))
    return summed(
        weights=case.weights.total,
        kv_cache=llamacpp.kv_cache(shape, plain) if shape is not None else _guessed_kv(case),
        recurrent_state=llamacpp.recurrent_state(shape, plain) if shape is not None else 0,
        compute=vllm.activations(shape, setting) if shape is not None else 500 * MIB,
        output=llamacpp.output(shape, plain) if shape is not None else 0,
        overhead=overhead,
    )


def _guessed_kv(case: Case) -> int:
    return (case.kv_per_token or 0) * case.context_length * case.parallel


_LAYOUTS: dict[str, Callable[[Case, bool, int], Memory]] = {
    "llama.cpp": _llamacpp,
    "ollama": _llamacpp,
    "vllm": _vllm,
    "transformers": lambda case, gpu, share: _torch(case, (TORCH_OVERHEAD if gpu else 0) * share),
    "diffusers": lambda case, gpu, share: _torch(case, (TORCH_OVERHEAD if gpu else 0) * share),
    "mlx": lambda case, gpu, share: _torch(case, MLX_OVERHEAD),
}
