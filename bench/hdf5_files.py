"""HDF5 as Keras lays it out, 400 layers and 800 datasets over 400 MB: h5py's own listing beside us, whole processes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.timing import compare

LAYERS, WIDTH = 400, 512
READ = (
    "from weigh.formats import detect; from weigh.sources.file import FileSource\n"
    "source = FileSource({path!r}); header = detect(source).read(source)\n"
    "assert len(header.tensors) == {count}\n"
)
LIST = (
    "import h5py\nfound = []\n"
    "def visit(name, item):\n"
    "    if isinstance(item, h5py.Dataset): found.append((name, item.shape, item.dtype.name))\n"
    "with h5py.File({path!r}) as file: file.visititems(visit)\n"
    "assert len(found) == {count}\n"
)
LIST_WITH_NAMES = (
    "import h5py\nfound = []\n"
    "def visit(name, item):\n"
    "    if isinstance(item, h5py.Dataset): found.append((name, item.shape, item.dtype.name))\n"
    "    else: dict(item.attrs)\n"
    "with h5py.File({path!r}) as file: dict(file.attrs); file.visititems(visit)\n"
    "assert len(found) == {count}\n"
)


def write(path: Path, *, libver: str) -> None:
    """Contiguous datasets, allocated late and written, as `model.save` does."""
    import h5py
    import numpy as np

    layers = [
        {"class_name": "Dense", "config": {"name": f"dense_{number}", "units": WIDTH}} for number in range(LAYERS)
    ]
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [f"dense_{number}".encode() for number in range(LAYERS)]
        for number in range(LAYERS):
            name = f"dense_{number}"
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            group[f"{name}/kernel:0"] = np.zeros((WIDTH, WIDTH), "f4")
            group[f"{name}/bias:0"] = np.zeros(WIDTH, "f4")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for libver in ("earliest", "latest"):
            path = Path(folder) / f"{libver}.h5"
            write(path, libver=libver)
            size = path.stat().st_size / 1e6
            peers = {
                "h5py visititems": LIST.format(path=str(path), count=2 * LAYERS),
                "h5py visititems and attributes": LIST_WITH_NAMES.format(path=str(path), count=2 * LAYERS),
            }
            ours = READ.format(path=str(path), count=2 * LAYERS)
            compare(f"Keras HDF5 ({libver}), {LAYERS} layers, {2 * LAYERS} datasets, {size:.0f} MB", ours, peers)
            path.unlink()


if __name__ == "__main__":
    main()
