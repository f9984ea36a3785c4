"""ONNX with its weights inside: onnx.load beside us, on the same bytes in one run."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.timing import compare
from weigh.formats import detect
from weigh.sources.file import FileSource

LAYERS, SIDE = 500, 512
READ = (
    "from weigh.formats import detect; from weigh.sources.file import FileSource\n"
    "source = FileSource({path!r}); header = detect(source).read(source)\n"
    "assert (header.format, len(header.tensors)) == ('onnx', {count})\n"
)
PEER = "import onnx; assert len(onnx.load({path!r}).graph.initializer) == {count}"


def write(path: Path) -> None:
    """So many matrices of a MiB each, one after another."""
    from onnx import TensorProto, helper, save_model

    nodes = [helper.make_node("MatMul", [f"x{one}", f"w{one}"], [f"x{one + 1}"]) for one in range(LAYERS)]
    weights = [
        TensorProto(name=f"w{one}", data_type=1, dims=[SIDE, SIDE], raw_data=bytes(4 * SIDE * SIDE))
        for one in range(LAYERS)
    ]
    ends = [helper.make_tensor_value_info(name, 1, ["batch", SIDE]) for name in ("x0", f"x{LAYERS}")]
    graph = helper.make_graph(nodes, "wide", ends[:1], ends[1:], weights)
    save_model(helper.make_model(graph), str(path))


def read_in_process(path: Path) -> None:
    """Imports left out."""
    import onnx

    best_theirs = best_ours = 1e9
    for _ in range(3):
        start = time.perf_counter()
        onnx.load(path)
        best_theirs = min(best_theirs, time.perf_counter() - start)
        start = time.perf_counter()
        with FileSource(path) as source:
            detect(source).read(source)
        best_ours = min(best_ours, time.perf_counter() - start)
    print(f"  in process: onnx.load {best_theirs * 1000:.1f} ms, ours {best_ours * 1000:.1f} ms,", end=" ")
    print(f"{best_theirs / best_ours:.1f} x")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "large.onnx"
        write(path)
        mib = path.stat().st_size >> 20
        code = {"path": str(path), "count": LAYERS}
        compare(f"ONNX, {LAYERS} tensors inside, {mib} MiB", READ.format(**code), {"onnx.load": PEER.format(**code)})
        read_in_process(path)


if __name__ == "__main__":
    main()
