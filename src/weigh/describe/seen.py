"""What was looked at beyond headers to hold a name against: samples of weights, a vocabulary, the name of a base."""

from __future__ import annotations

from collections.abc import Mapping

from weigh.core.name import Name
from weigh.core.value import Value


class Sample(Value, frozen=True, kw_only=True):
    """A few stretches of one matrix. `role` is its name without the numbers; `kurtosis` is 0 for normal, -1.2 for
    uniform numbers; `unrest` is how much the stretches differ in width, where 1 is what chance does; `extreme` the
    largest number in standard deviations. A matrix that holds one number alone has a `std` of 0.
    """

    role: str
    std: float
    kurtosis: float
    unrest: float
    extreme: float


class Weights(Value, frozen=True, kw_only=True):
    """Samples of matrices. `fresh_norms` of `norms` vectors of norms hold ones or zeros alone; so do `zero_biases` of
    `biases` hold zeros.
    """

    samples: tuple[Sample, ...] = ()
    norms: int = 0
    fresh_norms: int = 0
    biases: int = 0
    zero_biases: int = 0


class Vocabulary(Value, frozen=True, kw_only=True):
    """How many tokens, and how many of them are written with what each language needs."""

    num_tokens: int
    tokens: Mapping[str, int]


class Seen(Value, frozen=True, kw_only=True):
    """None for what nobody looked at. `base` is the name of the model that this one says it was made from."""

    weights: Weights | None = None
    vocabulary: Vocabulary | None = None
    base: Name | None = None


NOTHING = Seen()
