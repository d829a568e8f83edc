"""Fuzzes the targets, one after another, each in a process of its own.

    python -m tests.fuzz [--seconds 60] [--target NAME]

The time is for all targets together. What was found stays in build/fuzz/TARGET: `corpus` has the
inputs that reached new code, from which the next run goes on, and `crash-…` one that failed.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

_FOLDER = Path("build") / "fuzz"

# Beyond it, an input only takes longer: the largest pieces that the parsers treat as one are lines
# of 4,000 bytes.
_MAX_BYTES = 16_384

# An input of that size takes milliseconds. One that takes so long is reported like a failure.
_HANG_SECONDS = 20


def main() -> int:
    """Fuzz, and return the exit code of the shell: 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--target", choices=TARGETS, action="append", dest="targets")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("fuzzing needs atheris, which is installed on Linux on x86-64", file=sys.stderr)
        return 2
    targets = arguments.targets or list(TARGETS)
    share = max(1, arguments.seconds // len(targets))
    failed = [target for target in targets if not _fuzz(target, share)]
    for target in failed:
        print(f"{target}: failed; the input is in {_FOLDER / target}", file=sys.stderr)
    return 1 if failed else 0


def _fuzz(target: str, seconds: int) -> bool:
    folder = _FOLDER / target
    corpus, given = folder / "corpus", folder / "seeds"
    for path in (corpus, given):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (given / f"{number:03}").write_bytes(seed[:_MAX_BYTES])
    print(f"fuzzing {target} for {seconds} s", file=sys.stderr)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={_MAX_BYTES}",
        f"-timeout={_HANG_SECONDS}",
        f"-artifact_prefix={folder}/",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.fuzz.one_target", target]
    return (
        subprocess.run([*command, *options, str(corpus), str(given)], check=False).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
