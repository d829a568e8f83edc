"""Fuzzes one target in this process: `python -m tests.fuzz.one_target NAME [LIBFUZZER OPTION…]`.

The name comes first; the rest is libFuzzer's: https://llvm.org/docs/LibFuzzer.html#options. Given
a file, it runs the target on this one input.
"""

from __future__ import annotations

import contextlib
import io
import sys

import atheris

# Coverage is counted in what is imported here. Nothing may import the product before. atheris
# writes a line for each module.
with (
    contextlib.redirect_stderr(io.StringIO()),
    atheris.instrument_imports(include=["mrunners"]),
):
    from tests.fuzz.targets import check

if __name__ == "__main__":
    target = sys.argv.pop(1)
    atheris.Setup(sys.argv, lambda data: check(target, data))
    atheris.Fuzz()
