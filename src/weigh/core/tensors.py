"""A tensor as its file's header describes it."""

from __future__ import annotations

from weigh.core.value import Value


class TensorInfo(Value, frozen=True, kw_only=True):
    """`shape` in numpy's order (rows first, whatever the file's own order), `dtype` a name of knowledge/dtypes,
    `nbytes` as stored, `offset` from the start of the file; `nbytes` and `offset` are None where the
    format does not say. `storage` names the bytes that several tensors share, or the member that holds them.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int | None = None
    offset: int | None = None
    storage: str | None = None

    @property
    def num_elements(self) -> int:
        """The product of the shape; 1 for a scalar."""
        product = 1
        for length in self.shape:
            product *= length
        return product
