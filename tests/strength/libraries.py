"""What `tests.strength.changes` imports once for all its processes: libraries alone, for our code is what changes."""

import great_expectations  # noqa: F401
import hypothesis  # noqa: F401
import jinja2  # noqa: F401
import matplotlib.figure  # noqa: F401
import polars  # noqa: F401
import pyarrow  # noqa: F401
import pydantic_settings  # noqa: F401
import pytest  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.pipeline  # noqa: F401
