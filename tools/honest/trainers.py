"""What training libraries leave behind: Lightning's checkpoints and the folders of transformers' Trainer."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import collections
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import lightning
import torch
from lightning.pytorch import callbacks
from torch import nn

from tools.honest import Honest


class Tiny(lightning.LightningModule):
    """A model of one layer."""

    def __init__(self, width: int = 3, rate: float = 0.1, path: Path = Path("data")) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = nn.Linear(width, 1)

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        loss = self.layer(batch).sum()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> object:
        optimizer = torch.optim.AdamW(self.parameters())
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1)}

    def train_dataloader(self) -> object:
        return torch.utils.data.DataLoader(torch.ones(4, 3), batch_size=2)


def _trained(folder: Path, *, only_weights: bool) -> Path:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    watching = [
        callbacks.ModelCheckpoint(folder, monitor="loss"),
        callbacks.EarlyStopping("loss"),
        callbacks.Timer(duration={"hours": 1}),
        callbacks.StochasticWeightAveraging(1e-2),
    ]
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=watching, default_root_dir=folder,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(Tiny())
        name = "weights.ckpt" if only_weights else "last.ckpt"
        trainer.save_checkpoint(folder / name, weights_only=only_weights)
    return folder / name


def _lightning() -> Iterator[Honest]:
    yield Honest("lightning.ckpt", lambda folder: _trained(folder, only_weights=False))
    yield Honest("lightning_weights.ckpt", lambda folder: _trained(folder, only_weights=True))


def _trainer(folder: Path) -> Path:
    import transformers

    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=16
    )
    rows = [{"input_ids": torch.tensor([1, 2, 3]), "labels": torch.tensor(1)} for _ in range(4)]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "run"), max_steps=2, save_steps=2, use_cpu=True, report_to=[], disable_tqdm=True,
        per_device_train_batch_size=2, logging_steps=1, lr_scheduler_type="cosine",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers.Trainer(transformers.BertForSequenceClassification(config), arguments, train_dataset=rows).train()
    return folder / "run" / "checkpoint-2"


def _read_trainer(folder: Path) -> object:
    import transformers

    found = {
        name: torch.load(folder / name, weights_only=False)
        for name in ("optimizer.pt", "scheduler.pt", "training_args.bin")
    }
    return found, transformers.BertForSequenceClassification.from_pretrained(folder)


def _arguments(name: str, **options: object) -> Honest:
    def write(folder: Path) -> Path:
        import transformers

        kind = getattr(transformers, name)
        torch.save(
            kind(output_dir=str(folder / "x"), use_cpu=True, report_to=[], **options), folder / "training_args.bin"
        )
        return folder / "training_args.bin"

    return Honest(f"{name} {' '.join(options)}", write)


def _old_style(folder: Path) -> Path:
    state = collections.OrderedDict((f"bert.{index}", torch.ones(2)) for index in range(3))
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return folder / "pytorch_model.bin"


CASES: tuple[Honest, ...] = (
    *_lightning(),
    Honest("transformers trainer", _trainer, _read_trainer),
    _arguments("TrainingArguments"),
    _arguments("TrainingArguments", eval_strategy="steps", save_strategy="epoch", optim="adafactor", label_names=["labels"], gradient_checkpointing=True),
    _arguments("TrainingArguments", fsdp="", lr_scheduler_type="cosine_with_restarts", lr_scheduler_kwargs={"num_cycles": 2}, neftune_noise_alpha=5),
    _arguments("Seq2SeqTrainingArguments", predict_with_generate=True),
    Honest("old pytorch_model.bin", _old_style),
)  # fmt: skip
