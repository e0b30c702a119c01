"""What is done elsewhere with this project is what its own files say: hosted CI, hooks, templates."""

import re
import tomllib

from tests.kit.documents import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def test_hosted_ci_checks_every_python_that_the_project_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    (listed,) = re.findall(r"python: \[(.*)\]", WORKFLOW)
    assert re.findall(r"3\.\d+", listed) == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_hosted_ci_runs_both_lanes() -> None:
    commands = re.findall(r"- run: (.*)", WORKFLOW)
    assert commands[0].startswith("make check")
    assert commands[1].endswith(".ci/run")
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_hooks_run_what_the_quick_lane_runs() -> None:
    hooks = re.findall(r"entry: \.venv/bin/(.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (sources,) = re.findall(r"^SOURCES := \$\(wildcard (.*)\)", makefile, re.MULTILINE)
    lane = makefile.replace("$(SOURCES)", sources)
    assert [hook for hook in hooks if f"$(BIN)/{hook}" not in lane] == []


def test_every_address_of_the_project_is_of_one_place() -> None:
    home = PROJECT["urls"]["Homepage"]
    assert all(url.startswith(home) for url in PROJECT["urls"].values())
    template = (ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text(encoding="utf-8")
    assert re.findall(r"url: (.*)", template) == [f"{home}/security/advisories/new"]
