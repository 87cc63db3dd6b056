"""The process that works out one answer: reads the question from standard input, writes the answer, and ends."""

from __future__ import annotations

import os
import pickle
import sys

from flows.desk.answer import Answered, Inquiry, Problem, answer_here, written


def main() -> None:
    """Answer once. What libraries print must not get between the bytes of the answer, so it goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    os.umask(0o077)
    question = pickle.load(sys.stdin.buffer)
    assert isinstance(question, Inquiry)
    with os.fdopen(out, "wb") as pipe:
        pickle.dump(_answer(question), pipe)


def _answer(question: Inquiry) -> Answered:
    try:
        return answer_here(question)
    except Exception as error:
        why = f"The check failed through a fault of ours ({type(error).__name__}), not of your files."
        return written(question, [Problem(f"{why} Please tell the data team.")])


if __name__ == "__main__":
    main()
