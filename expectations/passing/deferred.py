"""Defers modules that a library imports but a run never uses: they are imported when a name is first looked up."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Takes a module's place in `sys.modules` until one of its names is looked up."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def defer(*names: str) -> None:
    """Import these modules only when they are first used; modules that are already imported stay as they are."""
    for name in names:
        if name not in sys.modules and (spec := find_spec(name)) is not None:
            module = _Deferred(name)
            module.__spec__ = spec
            module.__path__ = list(spec.submodule_search_locations or ())
            sys.modules[name] = module
