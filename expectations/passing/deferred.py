"""Modules that a library imports and a run never uses: imported when somebody first asks for something of theirs."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Stands in `sys.modules` for a module until one of its names is looked up."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def defer(*names: str) -> None:
    """Let these modules be imported when they are first used; one that is imported already stays as it is."""
    for name in names:
        if name not in sys.modules and (spec := find_spec(name)) is not None:
            module = _Deferred(name)
            module.__spec__ = spec
            module.__path__ = list(spec.submodule_search_locations or ())
            sys.modules[name] = module
