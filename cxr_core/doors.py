"""The door of a room that is heavy to enter: each name that it offers is fetched when it is first asked for.

    if TYPE_CHECKING:
        from cxr_core.inference.predictor import Predictor as Predictor
    else:
        __getattr__ = opened(__name__, {"predictor": ("Predictor",)})

So ``from cxr_core.inference import Predictor`` brings torch, and whoever takes a light module of the room does without.
A name that is a module's too cannot be offered so: which of the two it is would depend on who was imported before.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def opened(package: str, offered: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """The ``__getattr__`` of a package (PEP 562); ``offered``: the names of each of its modules."""
    module_of = {name: module for module, names in offered.items() for name in names}

    def fetched(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return fetched
