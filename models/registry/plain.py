"""Reads a stored classifier to score with, without skops, which imports all of scikit-learn to know what to trust.

A file that holds a BelowGoodClassifier of numbers, words, lists and arrays is a tree of JSON and arrays beside it.
Nothing else is read here, so nothing else can be made; a file with anything else in it is left to skops and its checks.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from models.scorer import OrdinalScorer

#: The type of every model that is stored today.
CLASSIFIER = "models.learning.classifier.BelowGoodClassifier"
#: The version of skops' file format that is read here.
_PROTOCOL = 2


class _NotPlain(Exception):
    """The file holds more than plain values."""


def plain_classifier(content: bytes) -> OrdinalScorer | None:
    """The numbers of the classifier that skops would load from the file; None if skops must look at it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            tree = json.loads(file.read("schema.json"))
            if tree["protocol"] != _PROTOCOL or f"{tree['__module__']}.{tree['__class__']}" != CLASSIFIER:
                return None
            values = {name: _value(node, file) for name, node in tree["content"]["content"].items()}
    except (_NotPlain, zipfile.BadZipFile, ValueError, KeyError, TypeError, RecursionError):
        return None
    classifier = OrdinalScorer()
    classifier.__dict__.update(values)
    return classifier


def _value(node: object, file: zipfile.ZipFile) -> Any:
    match node:
        case {"__loader__": "JsonNode", "content": str(text)}:
            return json.loads(text)
        case {"__loader__": "ListNode", "__class__": "list", "content": [*items]}:
            return [_value(item, file) for item in items]
        case {"__loader__": "NdArrayNode", "__class__": "ndarray", "type": "numpy", "file": str(name)}:
            return np.load(io.BytesIO(file.read(name)), allow_pickle=False)
        case {
            "__loader__": "NdArrayNode",
            "__class__": "ndarray",
            "type": "json",
            "content": [*items],
            "shape": {"content": [_]},
        }:
            # Names of columns, an array of objects in one dimension.
            row = np.empty(len(items), dtype=object)
            row[:] = [_value(item, file) for item in items]
            return row
    raise _NotPlain
