"""Bad input: exit 2, one clear line per error, all of them at once, and nothing created."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.commands import Finished
from tests.cluster.env import Env, NewEnv, profile_text

GOOD = profile_text(total=50)


@pytest.fixture(scope="module")
def shared(new_env: NewEnv) -> Iterator[Env]:
    """A namespace in which nothing is ever created after the profiles."""
    with new_env("bad-input") as made:
        write_profiles(made.folder)
        made.config_map("without", other="x: 1", another="y: 2")
        made.config_map("empty")
        made.config_map("broken", load_profile=GOOD.replace("rate", "raet"))
        yield made


def write_profiles(folder: Path) -> None:
    """The files that the URIs below name."""
    two_kinds, limit = yaml.safe_load(GOOD), yaml.safe_load(GOOD)
    two_kinds["specs"][0]["requests"][0]["quorumList"] = {"version": "v1", "resource": "pods"}
    limit["specs"][0]["requests"][0]["staleList"]["limit"] = 5
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    profiles = {
        "good": GOOD,
        "text": "{ this is: [not YAML",
        "misspelt": GOOD.replace("conns:", "connections:"),
        "two-kinds": yaml.safe_dump(two_kinds),
        "limit": yaml.safe_dump(limit),
        "bomb": bomb + GOOD,
        "large": GOOD + "#" * (2 * 1024 * 1024),
    }
    for name, text in profiles.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "directory").mkdir()


# What the user gave, with FOLDER and NAMESPACE to be filled in, and what the line must say.
CASES = {
    "relative-path": ("file://good.yaml?numbers=1", "three slashes"),
    "missing-file": ("file://FOLDER/missing.yaml?numbers=1", "the file does not exist"),
    "directory": ("file://FOLDER/directory?numbers=1", "it is a directory"),
    "unknown-scheme": ("http:///good.yaml?numbers=1", "unknown scheme 'http'"),
    "no-numbers": ("file://FOLDER/good.yaml", "numbers is missing"),
    "numbers-0": ("file://FOLDER/good.yaml?numbers=0", "numbers must be at least 1"),
    "numbers-negative": ("file://FOLDER/good.yaml?numbers=-3", "numbers must be at least 1"),
    "numbers-1.5": ("file://FOLDER/good.yaml?numbers=1.5", "numbers must be a whole number"),
    "numbers-huge": ("file://FOLDER/good.yaml?numbers=99999999999", "numbers must be at most"),
    "numbers-twice": ("file://FOLDER/good.yaml?numbers=1&numbers=2", "numbers is given 2 times"),
    "unknown-key": ("file://FOLDER/good.yaml?numbers=1&rate=5", "unknown query key 'rate'"),
    "user-info": ("file://me:secret@FOLDER/good.yaml?numbers=1", "user"),
    "fragment": ("file://FOLDER/good.yaml?numbers=1#part", "no fragment"),
    "not-yaml": ("file://FOLDER/text.yaml?numbers=1", "YAML"),
    "misspelt-key": ("file://FOLDER/misspelt.yaml?numbers=1", "connections"),
    "two-kinds": ("file://FOLDER/two-kinds.yaml?numbers=1", "staleList"),
    "stale-limit": ("file://FOLDER/limit.yaml?numbers=1", "limit"),
    "alias-bomb": ("file://FOLDER/bomb.yaml?numbers=1", "are not allowed"),
    "two-mebibytes": ("file://FOLDER/large.yaml?numbers=1", "larger than 512 KiB"),
    "configmap-missing": ("configmap:///NAMESPACE/absent?numbers=1", "does not exist"),
    "configmap-empty": ("configmap:///NAMESPACE/empty?numbers=1", "has no keys"),
    "configmap-two-keys": ("configmap:///NAMESPACE/without?numbers=1", "another.yaml, other.yaml"),
    "configmap-broken": ("configmap:///NAMESPACE/broken?numbers=1", "raet"),
    "configmap-elsewhere": ("configmap:///nowhere/absent?numbers=1", "nowhere/absent does not"),
}

# Of another namespace, who may read nothing there is told 403, whether or not it exists.
AS_ADMIN = {"configmap-elsewhere"}

# An anchor and an alias are one error each.
LINES = {"alias-bomb": 7}


def _uri(env: Env, case: str) -> str:
    uri = CASES[case][0]
    return uri.replace("FOLDER", str(env.folder)).replace("NAMESPACE", env.namespace)


def _everything(env: Env) -> set[str]:
    """Every object of the namespace, of every kind that can be listed."""
    kinds = env.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name")
    named = env.kubectl("get", ",".join(kinds.split()), "--output=name", "--ignore-not-found")
    return set(named.split())


@pytest.fixture(scope="module")
def before(shared: Env) -> set[str]:
    return _everything(shared)


@pytest.mark.parametrize("case", CASES)
def test_each_error_is_one_line_with_exit_code_2_and_creates_nothing(
    shared: Env, before: set[str], case: str
) -> None:
    done = (shared.as_admin if case in AS_ADMIN else shared).run(_uri(shared, case))
    assert (done.code, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == LINES.get(case, 1)
    for line in lines:
        assert line.startswith("error: runner 1 of 1 (")
        assert CASES[case][1] in line
        assert "secret" not in line
    assert _everything(shared) == before


def test_all_errors_of_all_uris_are_reported_at_once(shared: Env, before: set[str]) -> None:
    good = f"file://{shared.folder}/good.yaml?numbers=1"
    done = shared.as_admin.run(good, *(_uri(shared, case) for case in CASES))
    assert (done.code, done.stdout) == (2, "")
    lines = iter(done.stderr.splitlines())
    for place, (case, (_, words)) in enumerate(CASES.items(), start=2):
        for _ in range(LINES.get(case, 1)):
            line = next(lines)
            assert line.startswith(f"error: runner {place} of {len(CASES) + 1} (")
            assert words in line
    assert list(lines) == []
    assert _everything(shared) == before


def test_several_errors_of_one_uri_are_reported_at_once(shared: Env, before: set[str]) -> None:
    done = shared.run(f"file://{shared.folder}/misspelt.yaml?numbers=0&rate=5#x")
    assert (done.code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 4
    assert _everything(shared) == before


def test_a_single_key_of_another_name_is_taken_from_a_configmap(env: Env) -> None:
    env.config_map("single", anything=GOOD)
    uri = f"configmap:///{env.namespace}/single?numbers=1"
    assert env.run(uri, options=["--dry-run"]).code == 0


def test_a_configmap_of_another_namespace_is_read_by_who_may_get_it_there(
    shared: Env, env: Env
) -> None:
    env.config_map("elsewhere", load_profile=GOOD)
    uri = f"configmap:///{env.namespace}/elsewhere?numbers=2"
    forbidden = shared.run(uri, options=["--dry-run"])
    assert (forbidden.code, forbidden.stdout) == (7, "")
    assert 'configmaps "elsewhere" is forbidden: ' in forbidden.stderr

    account = f"--serviceaccount={shared.namespace}:mrunners"
    env.kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
    env.kubectl("create", "rolebinding", "reader", "--role=reader", account)
    done = shared.run(uri, options=["--dry-run"])
    assert done.code == 0
    assert f"namespace: {shared.namespace}" in done.stdout


def test_options_are_checked_before_anything_else(shared: Env, before: set[str]) -> None:
    words = ["--timeout", "soon", "--tracker", "Not_A_Name", "--wait"]
    done = shared.run(shared.quick(), options=words, image="ghcr.io/Azure/kperf:0.3.5")
    assert (done.code, done.stdout) == (2, "")
    lines = sorted(done.stderr.splitlines())
    assert [line.split(": ")[1] for line in lines] == ["--runner-image", "--timeout", "--tracker"]
    assert _everything(shared) == before


def test_a_missing_namespace_exits_with_2_and_says_how_to_create_it(shared: Env) -> None:
    words = ["--runner-image", "ghcr.io/azure/kperf:0.3.5", "--runners", shared.quick()]
    # Who may create nothing in it is told 403 instead, as of any other namespace.
    done = shared.as_admin.mrunners("run", "--namespace", "not-there", *words)
    assert "starting the flow" not in done.stderr  # that would take seconds
    assert (done.code, done.stdout) == (2, "")
    assert "error: namespace not-there does not exist" in done.stderr
    assert "kubectl create namespace not-there" in done.stderr


def _with_kubeconfig(env: Env, path: Path) -> Finished:
    return env.run(env.quick(), options=["--kubeconfig", str(path)])


def test_a_missing_kubeconfig_exits_with_2(shared: Env) -> None:
    done = _with_kubeconfig(shared, shared.folder / "absent")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == f"error: kubeconfig {shared.folder}/absent: no such file\n"


@pytest.mark.parametrize("text", ["{", "just words", "apiVersion: v1\nkind: Config\n", "\0"])
def test_a_broken_kubeconfig_is_one_line_with_2(shared: Env, text: str) -> None:
    path = shared.folder / "broken-kubeconfig"
    path.write_text(text)
    done = _with_kubeconfig(shared, path)
    assert (done.code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: kubeconfig {path}: ")
