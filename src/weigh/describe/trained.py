"""Weights that bear a known name, looked at by the statistics of a sample: were they ever trained?"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.claims import claim
from weigh.describe.family import is_known
from weigh.describe.seen import Sample, Weights

FEWEST = 4  # matrices, before anything is said
# The kurtosis of what programs begin with: normal, normal cut off at two deviations, uniform.
_BEGINNINGS = (0.0, -0.634, -1.2)
_NEAR, _FAR = 0.12, 0.3
_CALM, _RESTLESS = 1.2, 1.5  # how much stretches of one matrix differ, times what chance does
_ALIKE, _UNLIKE = 0.03, 0.06  # how much one matrix of every layer differs from the next
_MOST_EXTREME = 6.5  # standard deviations that chance does not reach

_SAID = re.compile(r"random|untrained|dummy|init|scratch|test|fake", re.IGNORECASE)


def expects_training(name: Name, model: Model) -> bool:
    """Does the name promise a known model's weights? What adapts another model begins with zeros by design."""
    adapts = model.contents is not None and model.contents.value.kind in ("adapter", "embedding", "training-state")
    based = model.base_model is not None and model.base_model.where == "adapter_config.json"
    return name.family is not None and is_known(name.family) and not (adapts or based or _SAID.search(name.name))


def training(name: Name, weights: Weights | None) -> Iterator[Claim]:
    """One claim, where there was something to sample."""
    if weights is None or not weights.samples or name.family is None:
        return
    samples = [one for one in weights.samples if one.std > 0]
    if not samples and len(weights.samples) >= FEWEST:
        because = Saying("claim.weights.constant", count=len(weights.samples))
        yield claim("weights", name.family, "0", "does_not_hold", because)
        return
    count = len(samples)
    if count < FEWEST:
        yield claim("weights", name.family, None, "cannot_tell", Saying("claim.weights.too_few", count=count))
    elif _is_fresh(samples):
        if _began(weights):
            because = Saying("claim.weights.fresh", count=count, norms=weights.norms)
            yield claim("weights", name.family, _shown(samples), "does_not_hold", because)
        else:
            yield claim("weights", name.family, None, "cannot_tell", Saying("claim.weights.smooth", count=count))
    elif _is_worked(samples):
        yield claim("weights", name.family, _shown(samples), "holds", Saying("claim.weights.holds", count=count))
    else:
        yield claim("weights", name.family, None, "cannot_tell", Saying("claim.weights.between", count=count))


def _shown(samples: Sequence[Sample]) -> str:
    widths = [one.std for one in samples]
    return f"std {min(widths):.3g}-{max(widths):.3g}"


def _is_fresh(samples: Sequence[Sample]) -> bool:
    """As a random generator leaves them: one law, no row wider than the next, every layer like the other."""
    kurtosis = statistics.fmean(one.kurtosis for one in samples)
    return (
        min(abs(kurtosis - one) for one in _BEGINNINGS) < _NEAR
        and _unrest(samples) < _CALM
        and _spread(samples) < _ALIKE
        and max(one.extreme for one in samples) < _MOST_EXTREME
    )


def _is_worked(samples: Sequence[Sample]) -> bool:
    kurtosis = statistics.fmean(one.kurtosis for one in samples)
    return kurtosis > _FAR or _unrest(samples) > _RESTLESS or _spread(samples) > _UNLIKE


def _began(weights: Weights) -> bool:
    """Norms are all ones or zeros, biases all zeros: nothing has moved them. Without a norm nobody knows."""
    return weights.norms >= 2 and weights.fresh_norms == weights.norms and weights.zero_biases == weights.biases


def _unrest(samples: Sequence[Sample]) -> float:
    return statistics.median(one.unrest for one in samples)


def _spread(samples: Sequence[Sample]) -> float:
    """How much the widths of one role's matrices differ from layer to layer; 0 where no role has two."""
    roles: dict[str, list[float]] = {}
    for one in samples:
        roles.setdefault(one.role, []).append(one.std)
    spreads = [statistics.pstdev(widths) / statistics.fmean(widths) for widths in roles.values() if len(widths) > 1]
    return statistics.median(spreads) if spreads else 0.0
