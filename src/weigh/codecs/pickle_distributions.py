"""The one text that SciPy's distributions run when they are unpickled: is it what SciPy writes?

`scipy.stats._distn_infrastructure.rv_generic.__setstate__` hands `_parse_arg_template` of the state to `exec`.
"""

from __future__ import annotations

import re

from weigh.codecs.pickle_nodes import Call, Global, Node, Pairs

MODULES = "scipy.stats."
_TEXT = "_parse_arg_template"
_MOST = 4096
_ARGUMENTS, _ENDS = r"[\w ,=.+\-]*", r"\([\w, ]*\), loc, (?:scale|1)"
_TEMPLATE = (
    rf"(?a)\ndef _parse_args\(self, {_ARGUMENTS}\):\n    return {_ENDS}\n"
    rf"\ndef _parse_args_rvs\(self, {_ARGUMENTS}\):\n    return self\._argcheck_rvs\({_ARGUMENTS}\)\n"
    rf"\ndef _parse_args_stats\(self, {_ARGUMENTS}, moments='mv'\):\n    return {_ENDS}, moments\n"
)


def runs_text(made: Call, state: Node) -> bool:
    """Would this state make a distribution run anything but the three functions that SciPy writes?"""
    function = made.arguments[0] if _is_rebuilt(made) else made.function
    if not isinstance(function, Global) or not function.module.startswith(MODULES):
        return False
    if not isinstance(state, Pairs):
        return True
    texts = [value for key, value in state.items if not isinstance(key, str) or key == _TEXT]
    return not all(isinstance(one, str) and len(one) <= _MOST and re.fullmatch(_TEMPLATE, one) for one in texts)


def _is_rebuilt(made: Call) -> bool:
    match made:
        case Call(function=Global(module="copy_reg" | "copyreg", name="_reconstructor"), arguments=(_, *_)):
            return True
    return False
