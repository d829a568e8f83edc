"""The project speaks one vocabulary: docs/glossary.md says which words, this test says which not.

Three kinds of words are kept out: those that mean something else in Kubernetes, Python or Prefect,
those that say nothing, and second names for one thing.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.repository import ROOT, repository_files

FILES = [
    path
    for path in repository_files()
    if path != Path(__file__) and path.suffix in {".py", ".md", ".yaml", ".j2"}
]
PRODUCT = [path for path in FILES if path.relative_to(ROOT).parts[0] in {"src", "tasks", "flows"}]
CODE = [path for path in FILES if path.suffix == ".py"]
MODULES = [path for path in PRODUCT if path.suffix == ".py"]

# As whole words, in code: what was renamed.
OLD_NAMES = [
    "ConfigMapSeen",
    "Conduct",
    "Decision",
    "EventSeen",
    "Existing",
    "FoundRun",
    "Home",
    "JobSeen",
    "Judged",
    "KubeconfigElsewhere",
    "Keeping",
    "Leftover",
    "Listener",
    "OpenRun",
    "Patience",
    "PodFigures",
    "PodSeen",
    "Silence",
    "Speaker",
    "Trouble",
    "Unstarted",
    "as_one",
    "bring_home",
    "brought_home",
    "closer_look",
    "conduct",
    "config_map_seen",
    "demand_answer",
    "demand_folder",
    "existing_run",
    "failures_of",
    "find_tracker",
    "findings_of",
    "gaps_table",
    "harvest",
    "harvest_ended",
    "job_seen",
    "known_failures",
    "leftover",
    "look_closely",
    "no_answer",
    "note_collected",
    "open_run",
    "pod_figures",
    "pod_seen",
    "portions",
    "rehearse",
    "rehearse_config_map",
    "remember",
    "see_off",
    "silent_hosts",
    "trouble_of",
    "unstarted_pods",
    "write_whole",
    "NOTE_URI",
    "NOTE_DIGEST",
    "NOTE_COLLECTED_AT",
    "DEFECT",
]
OLD_MODULES = [
    "answers",
    "arguments",
    "bringing_home",
    "caching",
    "checking",
    "concluding",
    "conduct",
    "collecting",
    "creating",
    "deleting",
    "drawing",
    "ending",
    "figures",
    "following",
    "going",
    "harvesting",
    "inputs",
    "judging",
    "leftovers",
    "listening",
    "loading_profiles",
    "looking",
    "measured",
    "opening",
    "outcome",
    "own_server",
    "patience",
    "planned",
    "portions",
    "preparing",
    "progress",
    "remembering",
    "resulting",
    "runlog",
    "seen",
    "speaking",
    "starting",
    "starts",
    "stderr",
    "surroundings",
    "tending",
    "tracking",
    "troubles",
    "verdicts",
    "views",
    "waiting",
    "wording",
    "writing",
]

# In any text that people read: idioms that English does not have.
OLD_PHRASES = (
    r"\bbrought home\b",
    r"\bbring(s|ing)? home\b",
    r"\bcome(s)? home\b",
    r"\bmistakes are told\b",
    r"\btold together\b",
    r"\banother run is there\b",
    r"\bis there already\b",
    r"\bunbraked\b",
    r"\bno rate was asked\b",
    r"\basked for are\b",
    r"\ba defect of\b",
    r"\bmend(s|ed|ing)?\b",
    r"\bborne\b",
    r"\bwhoever\b",
    r"\bIt must not\b",
    r"\bmust not be asked\b",
)

# Modules that share a name because the thing does: a command, the flow's step and the core's
# function are one operation in three layers.
SHARED_STEMS = {
    "completion",
    "__init__",
    "result",
    "wait",
    "delete",
    "run",
    "collect",
    "status",
    "profiles",
}


TEXTS = {path: path.read_text("utf-8") for path in FILES}


def occurrences(pattern: str, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{TEXTS[path].count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path in paths
        for match in re.finditer(pattern, TEXTS[path])
    ]


@pytest.mark.parametrize("name", OLD_NAMES)
def test_no_old_name_is_left(name: str) -> None:
    assert occurrences(rf"(?<![\w/.\-]){name}(?![\w\-])", CODE) == []


@pytest.mark.parametrize("phrase", OLD_PHRASES)
def test_no_old_phrase_is_left(phrase: str) -> None:
    assert occurrences(phrase, FILES) == []


def test_no_old_module_is_left() -> None:
    assert sorted({path.stem for path in MODULES} & set(OLD_MODULES)) == []


def test_no_two_modules_of_the_product_share_a_name_without_need() -> None:
    stems = Counter(path.stem for path in MODULES)
    assert (
        sorted(stem for stem, count in stems.items() if count > 1 and stem not in SHARED_STEMS)
        == []
    )


def test_the_product_stays_small_enough_to_be_read() -> None:
    lines = {path: len(TEXTS[path].splitlines()) for path in MODULES}
    assert len(MODULES) <= 250
    assert [str(path) for path, count in lines.items() if count > 300] == []
