"""Text by transformers: chats and completions, token by token."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import (
    Chat,
    Complete,
    Delta,
    Done,
    Event,
    Fault,
    FinishReason,
    Job,
    Sampling,
    Usage,
    Work,
    work_of,
)
from weigh.engines.decoding import Decoding
from weigh.engines.insisted import by_schema, called, must_call
from weigh.engines.likelihoods import told
from weigh.engines.prompts import between, tools_of, turn_of
from weigh.engines.spoken import Spoken, hidden

_WORKS: tuple[Work, ...] = ("chat", "complete")
MOST_CONTEXT = 1 << 20


def load(launch: Launch) -> Text:
    """The weights from safetensors alone, unless a pickle was allowed. Raises Failed."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(launch.path, **options_of(launch))
    return Text(tokenizer, opened(launch, _class_of(launch)), launch)


def options_of(launch: Launch) -> dict[str, bool]:
    """What every loader of the library is told: fetch nothing, and run no code unless the user said so."""
    return {"trust_remote_code": bool(launch.trust_remote_code), "local_files_only": True}


def opened(launch: Launch, kind: Any) -> Any:
    """The model by an auto class, on its device."""
    model = kind.from_pretrained(
        launch.path,
        dtype=launch.dtype or "auto",
        use_safetensors=None if launch.allow_pickle else True,
        **options_of(launch),
    )
    if launch.threads:
        import torch

        torch.set_num_threads(launch.threads)
    if launch.device:
        model.to(launch.device)
    return model.eval()


def _class_of(launch: Launch) -> Any:
    import transformers

    name = launch.architecture or ""
    if name.endswith("ForConditionalGeneration") and _reads_first(name):
        return transformers.AutoModelForSeq2SeqLM
    return transformers.AutoModelForCausalLM


def _reads_first(name: str) -> bool:
    return name.startswith(("T5", "MT5", "UMT5", "LongT5", "Bart", "MBart", "Pegasus", "M2M100", "Prophet", "Marian"))


class Text:
    """One job at a time."""

    def __init__(self, tokenizer: Any, model: Any, launch: Launch) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._grammars: Any = None
        own = getattr(model.config.get_text_config(), "max_position_embeddings", None) or MOST_CONTEXT
        self._context = min(launch.context_length or own, own)
        self.ready = Ready(works=_WORKS, parallel=1, context_length=self._context)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Deltas, then Done with the tokens counted."""
        match job:
            case Chat() if must_call(job):
                yield from called(self._chat(by_schema(job), cancelled))
            case Chat():
                yield from self._chat(job, cancelled)
            case Complete():
                prompt = self._ids(job)
                if job.echo:
                    yield Delta(text=job.prompt)
                yield from self.answer(prompt, job.sampling, cancelled, schema=job.schema, tools=False)
            case _:
                yield Fault(kind="unsupported", detail=f"a text model does not {work_of(job)}")

    def _chat(self, job: Chat, cancelled: threading.Event) -> Generator[Event, None, None]:
        tools = bool(job.tools) and job.tool_choice != "none"
        yield from self.answer(self._templated(job), job.sampling, cancelled, schema=job.schema, tools=tools)

    def _ids(self, job: Complete) -> Any:
        text = job.prompt
        if job.suffix is not None:
            text = between(job.prompt, job.suffix, self._tokenizer.get_vocab())
        return self._tokenizer(text, return_tensors="pt", return_token_type_ids=False)

    def _templated(self, job: Chat) -> Any:
        if self._tokenizer.chat_template is None:
            raise Failed(Fault(kind="bad_input", detail="it has no chat template: complete a prompt instead"))
        options = {} if job.thinking is None else {"enable_thinking": job.thinking}
        try:
            return self._tokenizer.apply_chat_template(
                [turn_of(message) for message in job.messages],
                tools=tools_of(job),
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
                **options,
            )
        except Exception as error:  # a template raises whatever it likes
            raise Failed(Fault(kind="bad_input", detail=f"its chat template: {error}")) from error

    def answer(
        self, prompt: Any, sampling: Sampling, cancelled: threading.Event, *, schema: str | None, tools: bool
    ) -> Generator[Event, None, None]:
        """Deltas and Done, for a prompt as the model takes it. Raises Failed."""
        number = int(prompt["input_ids"].shape[1])
        room = self._context - number if not self._model.config.is_encoder_decoder else self._context
        if number == 0:
            raise Failed(Fault(kind="bad_input", detail="the prompt has no tokens"))
        if number >= self._context or room <= 0:
            detail = f"{number} tokens of prompt for a context of {self._context}"
            raise Failed(Fault(kind="context_overflow", detail=detail))
        most = min(sampling.max_tokens if sampling.max_tokens is not None else room, room)
        spoken = Spoken(stop=sampling.stop, tools=tools)
        stopped = threading.Event()
        written = thought = 0
        for token, piece, logprobs in self._tokens(
            prompt, sampling, most, schema, lambda: cancelled.is_set() or stopped.is_set()
        ):
            written += token
            deltas = list(spoken.feed(piece))
            thought += token if any(delta.reasoning for delta in deltas) else 0
            if logprobs is not None and not deltas:
                deltas = [Delta()]
            for at, delta in enumerate(deltas):
                yield Delta(
                    text=delta.text,
                    reasoning=delta.reasoning,
                    tool_calls=delta.tool_calls,
                    logprobs=logprobs if at == 0 else None,
                )
            if spoken.is_stopped:
                stopped.set()
        yield from spoken.flush()
        usage = Usage(prompt_tokens=number, completion_tokens=written, reasoning_tokens=thought)
        finish = _finish(cancelled, spoken, is_full=written >= most)
        yield Done(finish_reason=finish, usage=usage, stopped_by=spoken.stopped_by)

    def _tokens(
        self, prompt: Any, sampling: Sampling, most: int, schema: str | None, is_over: Callable[[], bool]
    ) -> Iterator[tuple[int, str, str | None]]:
        """One after another: 1, its text (which may come later, with the rest of a character), its probabilities."""
        import torch
        import transformers

        ids: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        watch = _Watch(self._tokenizer, sampling.top_logprobs)
        number = 1 if self._model.config.is_encoder_decoder else int(prompt["input_ids"].shape[1])
        penalties = _Penalties(sampling, number)
        processors = transformers.LogitsProcessorList([watch, *penalties.all(), *self._constraints(schema)])
        options = _generation(sampling, self._model.generation_config)
        if sampling.seed is not None:
            torch.manual_seed(sampling.seed)
        stop = transformers.StoppingCriteriaList([lambda *_: torch.tensor([is_over()])])

        def generate() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(
                        **prompt.to(self._model.device),
                        **options,
                        max_new_tokens=most,
                        streamer=_Streamer(ids.put),
                        stopping_criteria=stop,
                        logits_processor=processors,
                        pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                    )
            except BaseException as error:  # of another thread: told to the one that waits
                ids.put(error)
            ids.put(None)

        if most <= 0:
            return
        thread = threading.Thread(target=generate, daemon=True)
        thread.start()
        yield from self._decoded(ids, watch, sampling.stop)
        thread.join()

    def _decoded(
        self, ids: queue.SimpleQueue[int | BaseException | None], watch: _Watch, stop: tuple[str, ...]
    ) -> Iterator[tuple[int, str, str | None]]:
        ends = self._model.generation_config.eos_token_id
        special = {id: str(one) for id, one in self._tokenizer.added_tokens_decoder.items() if one.special}
        unsaid = hidden(special, stop) | set(ends if isinstance(ends, list) else [ends])
        decoding = Decoding(lambda written: str(self._tokenizer.decode(written, clean_up_tokenization_spaces=False)))
        while (token := ids.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            yield 1, "" if token in unsaid else decoding.feed(token), watch.told(token)
        yield 0, decoding.flush(), None

    def _constraints(self, schema: str | None) -> list[Any]:
        """What keeps the answer within a JSON Schema."""
        if schema is None:
            return []
        try:
            import llguidance.hf
        except ImportError as error:
            detail = "an answer by a JSON Schema needs llguidance: pip install 'weigh[torch]'"
            raise Failed(Fault(kind="unsupported", detail=detail)) from error
        from weigh.engines.transformers_schema import Schema

        if self._grammars is None:
            width = self._model.get_output_embeddings().weight.shape[0]
            self._grammars = llguidance.hf.from_tokenizer(self._tokenizer, n_vocab=width)
        return [Schema(self._grammars, schema)]


class _Streamer:
    """Called by `generate` with the prompt, or with what a decoder starts from; then with each token."""

    def __init__(self, put: Callable[[int], None]) -> None:
        self._put = put
        self._is_begun = False

    def put(self, value: Any) -> None:
        """One token, once the prompt is past, or the sign that a decoder begins with."""
        if not self._is_begun:
            self._is_begun = True
            return
        for token in value.flatten().tolist():
            self._put(token)

    def end(self) -> None:
        """Told apart by the thread that generates."""


class _Watch:
    """Remembers, step by step, how likely the tokens were."""

    def __init__(self, tokenizer: Any, top: int | None) -> None:
        self._top = top
        self._tokenizer = tokenizer
        self._steps: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self._top is not None:
            self._steps.put(scores[0].float().log_softmax(-1))
        return scores

    def told(self, token: int) -> str | None:
        """Of the token that was drawn, where it was asked for."""
        if self._top is None:
            return None
        likely = self._steps.get()
        best = likely.topk(min(self._top, len(likely)))
        likeliest = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return told(token, float(likely[token]), likeliest, lambda one: str(self._tokenizer.decode([one])))


class _Penalties:
    """Less for what the answer said before; what stands in the prompt is no part of it."""

    def __init__(self, sampling: Sampling, number: int) -> None:
        self._each = sampling.frequency_penalty or 0
        self._once = sampling.presence_penalty or 0
        self._number = number

    def all(self) -> list[Any]:
        """Itself, where anything was asked for."""
        return [self] if self._each or self._once else []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        said, times = input_ids[0, self._number :].unique(return_counts=True)
        scores = scores.clone()
        scores[0, said] -= self._each * times + self._once
        return scores


def _generation(sampling: Sampling, own: Any) -> dict[str, Any]:
    """Options of `generate`; what nobody asked for is the model's own."""
    options: dict[str, Any] = {
        "temperature": sampling.temperature or None,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repeat_penalty,
    }
    asked = {key: value for key, value in options.items() if value is not None}
    if sampling.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    if asked.keys() - {"repetition_penalty"}:
        asked["do_sample"] = True
    return asked


def _finish(cancelled: threading.Event, spoken: Spoken, *, is_full: bool) -> FinishReason:
    if cancelled.is_set():
        return "cancelled"
    if spoken.calls:
        return "tool_calls"
    return "length" if is_full and not spoken.is_stopped else "stop"
