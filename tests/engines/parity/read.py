"""Vectors, scores, labels, boxes and arrays of engines, beside the library called directly on the same input."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from tests.engines.asking import labels, media, picture, rows, run
from weigh.app.run import Asked
from weigh.core.work import Classify, Compute, Depth, Detect, Embed, Event, Piece, Rerank, Scores, Tensors
from weigh.engines.arrays import array_of, numbers

TEXTS = ("the cat sat", "过 秤", "a dog ran on the mat and ran")
LABELS = ("cat", "scales", "dog")


def apart(found: Any, expected: Any) -> float:
    """The largest difference between two arrays of one shape."""
    one, other = numpy.asarray(found, "float64"), numpy.asarray(expected, "float64")
    assert one.shape == other.shape and one.size
    return float(numpy.abs(one - other).max())


def opened() -> Image.Image:
    return Image.open(io.BytesIO(picture()))


def pipeline(task: str, folder: Path) -> Any:
    import transformers

    return transformers.pipeline(task, model=str(folder))


def embedded(place: Path, library: Path) -> float:
    """Texts as they are, and a query with its prompt."""
    import sentence_transformers

    own = sentence_transformers.SentenceTransformer(str(library), device="cpu")
    plain = rows(run(place, Embed(pieces=tuple(Piece(text=one) for one in TEXTS))))
    query = rows(run(place, Embed(pieces=(Piece(text=TEXTS[0]),), purpose="query")))
    return max(apart(plain, own.encode(list(TEXTS))), apart(query, own.encode([TEXTS[0]], prompt_name="query")))


def ranked(place: Path, library: Path) -> float:
    import sentence_transformers

    own = sentence_transformers.CrossEncoder(str(library), device="cpu")
    events = run(place, Rerank(query="the cat", documents=TEXTS))
    return apart(scores_of(events), own.predict([("the cat", one) for one in TEXTS]))


def scores_of(events: list[Event]) -> tuple[float, ...]:
    return next(event.scores for event in events if isinstance(event, Scores))


def classified(place: Path, library: Path) -> float:
    own = pipeline("image-classification", library)(opened())
    found = labels(run(place, Classify(piece=Piece(image=picture()), top=3)))
    assert [one.label for one in found] == [one["label"] for one in own]
    return apart([one.score for one in found], [one["score"] for one in own])


def tried(place: Path, library: Path) -> float:
    """Labels of one's own, by CLIP."""
    own = pipeline("zero-shot-image-classification", library)(opened(), candidate_labels=list(LABELS))
    found = labels(run(place, Classify(piece=Piece(image=picture()), labels=LABELS)))
    assert [one.label for one in found] == [one["label"] for one in own]
    return apart([one.score for one in found], [one["score"] for one in own])


def paired(place: Path, library: Path) -> float:
    """Texts and a picture in CLIP's space."""
    import torch
    import transformers

    model, processor = transformers.CLIPModel.from_pretrained(library), transformers.CLIPProcessor.from_pretrained(library)  # fmt: skip
    found = rows(run(place, Embed(pieces=(Piece(text="cat"), Piece(text="scales"), Piece(image=picture())))))
    read = [processor.tokenizer([text], return_tensors="pt") for text in ("cat", "scales")]
    seen = processor.image_processor(images=opened(), return_tensors="pt")
    with torch.inference_mode():
        made = [model.get_text_features(**one).pooler_output for one in read]
        made.append(model.get_image_features(**seen).pooler_output)
    return apart(found, torch.nn.functional.normalize(torch.cat(made), dim=-1).numpy())


def detected(place: Path) -> float:
    """Scores as they are, and boxes in pixels."""
    import torch
    import transformers

    model = transformers.AutoModelForObjectDetection.from_pretrained(place)
    processor = transformers.AutoImageProcessor.from_pretrained(place)
    with torch.inference_mode():
        told = model(**processor(images=opened(), return_tensors="pt"))
    own = processor.post_process_object_detection(told, threshold=0.0, target_sizes=[opened().size[::-1]])[0]
    order = own["scores"].argsort(descending=True)
    found = labels(run(place, Detect(image=picture(), threshold=0.0)))
    assert [one.label for one in found] == [model.config.id2label[int(one)] for one in own["labels"][order]]
    boxes = apart([one.box for one in found], own["boxes"][order].numpy().astype("int64"))  # the pipeline's are whole
    return max(boxes, apart([one.score for one in found], own["scores"][order].numpy()))


def measured(place: Path) -> float:
    """How far, from 0 to 1."""
    told = pipeline("depth-estimation", place)(opened())["predicted_depth"].numpy().squeeze()
    expected = (told - told.min()) / (told.max() - told.min())
    with Image.open(io.BytesIO(media(run(place, Depth(image=picture()))).data)) as depth:
        return apart(numpy.asarray(depth) / 65535, expected)


def computed(path: Path, arrays: dict[str, Any], expected: list[Any], asked: Asked) -> float:
    events = run(path, Compute(arrays=tuple(array_of(name, value) for name, value in arrays.items())), asked)
    found = next(event.arrays for event in events if isinstance(event, Tensors))
    pairs = zip(found, expected, strict=True)
    return max(apart(numbers(one), other) for one, other in pairs if other is not None)


def judged(path: Path, network: Path) -> float:
    """How likely yes is before no, after the last token of query and document in the file's own layout."""
    import torch
    import transformers

    from tools.tiny.rankers import LAYOUT

    model = transformers.AutoModel.from_pretrained(network)
    tokenizer = transformers.AutoTokenizer.from_pretrained(network)
    answers = torch.from_numpy(numpy.load(network / "answers.npy"))
    read = [tokenizer(LAYOUT.format(query="weigh", document=one), return_tensors="pt") for one in TEXTS]
    with torch.inference_mode():
        states = torch.stack([model(**one).last_hidden_state[0, -1] for one in read])
    expected = (states @ answers.T).softmax(-1)[:, 0].numpy()
    return apart(scores_of(run(path, Rerank(query="weigh", documents=TEXTS))), expected)
