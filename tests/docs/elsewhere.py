"""Commands of the documents that the test of documents cannot run, each with the reason and where it is run instead."""

#: First words of a command -> why it is not run here. Such a command is still parsed: see `test_commands.py`.
ELSEWHERE: dict[str, str] = {
    "make demo": "sets everything up from nothing and takes a minute; CI's measure of the first contact",
    "make test": "would run this test inside itself",
    "make bench": "takes minutes; run for each release",
    "make server": "serves until it is stopped; tests/integration/test_prefect_server.py",
    "holdfast serve": "serves until it is stopped; tests/integration/test_prefect_server.py",
    "prefect": "needs a Prefect server with a work pool; tests/integration/test_prefect_server.py",
    "docker": "needs a Docker daemon",
    "kubectl": "needs a Kubernetes cluster",
    "aws": "needs an account of AWS",
    "holdfast backtest": "needs the published files, which are not kept here; tests/unit/flows/cli/test_models.py",
    "holdfast evaluate": "needs the published files; tests/unit/flows/cli/test_models.py",
    "holdfast train": "needs the published files; tests/unit/flows/cli/test_models.py",
    "holdfast refresh": "needs the publishers' servers; tests/integration/test_reference_refresh.py",
    "holdfast reference": "needs the published files; tests/unit/flows/cli/test_published.py",
    "holdfast run --returns": "needs the published files; tests/integration/test_real_figures.py",
    "holdfast pull-ssd": "needs a database; tests/unit/flows/cli/test_extracts.py",
    "holdfast watchdog": "what it finds depends on the day; tests/unit/flows/orchestration/test_look.py",
    "holdfast approve --month": "needs a month that waits for approval; tests/integration/test_repair.py",
    "holdfast demo": "takes a minute; `make demo` is CI's measure of it",
    "holdfast simulate-alerts": "takes half a minute; tests/unit/flows/cli/test_alerts.py",
    "holdfast sample-extracts --councils 153": "makes 153 councils; the same command runs smaller in this test",
    "sudo": "changes the machine",
    "systemctl": "needs systemd",
    "git": "needs a clone with a remote",
}
