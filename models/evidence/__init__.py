"""How good the model is: back-test, evaluation, lead time, audit, and their reports."""
