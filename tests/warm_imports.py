"""What `tests.warm` imports once, before anything starts a thread."""

import gc

# What is imported here stays: no process that is forked looks through it for garbage.
gc.disable()

from flows.orchestration import embedded  # noqa: E402

embedded.configure()

import boto3  # noqa: E402, F401
import great_expectations  # noqa: E402, F401
import prefect.main  # noqa: E402
import prefect.server.api.server  # noqa: E402, F401
import sklearn  # noqa: E402, F401

import flows.cli.app  # noqa: E402
import flows.monthly  # noqa: E402, F401

gc.freeze()
gc.enable()
