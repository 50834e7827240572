"""The command, as a shell calls it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.cli import main
from hcat_nb.evaluation import table
from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES

WORDS = "run digits --subset 120 --hardness uniform --p 0.1 --epochs 2 --seed 3 --methods aum el2n"


def hcat(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hcat_nb", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # sums are split as in this process
    )


def test_run_saves_what_python_would_compute(tmp_path, capsys):
    assert main([*WORDS.split(), "--out", str(tmp_path / "run")]) == 0
    run = load_run(tmp_path / "run")
    same = characterize(
        "digits", subset=120, hardness="uniform", p=0.1, epochs=2, seed=3, methods="aum el2n"
    )
    assert run.scores.equals(same.scores)
    printed = capsys.readouterr().out
    assert "<Run: digits, 120 samples, uniform p=0.1; cnn, 2 epochs" in printed
    assert re.search(r"aum\s+12\s+0\.1000", printed)
    assert "3 samples to look at first by first_look" in printed
    assert str(tmp_path / "run") in printed


def test_a_saved_run_is_evaluated_once(tmp_path, capsys, monkeypatch):
    evaluate, calls = table.evaluate, []

    def counted(*tables, **options):
        calls.append(options)
        return evaluate(*tables, **options)

    monkeypatch.setattr(table, "evaluate", counted)
    main([*WORDS.split(), "--out", str(tmp_path / "run"), "--hardest", "0"])
    saved = capsys.readouterr().out
    assert len(calls) == 1
    main([*WORDS.split(), "--hardest", "0"])
    assert saved.startswith(capsys.readouterr().out.split("0 hardest")[0])


@pytest.mark.slow
def test_another_process_gives_the_same_bits(tmp_path):
    done = hcat(*WORDS.split(), "--out", str(tmp_path / "theirs"))
    assert done.returncode == 0, done.stderr
    main([*WORDS.split(), "--out", str(tmp_path / "ours")])
    theirs, ours = load_run(tmp_path / "theirs"), load_run(tmp_path / "ours")
    assert theirs.scores.equals(ours.scores)
    assert theirs.details.equals(ours.details)


def test_evaluate_prints_the_metrics_of_a_saved_run(tmp_path, capsys):
    main([*WORDS.split(), "--out", str(tmp_path / "run")])
    metrics = json.loads((tmp_path / "run" / "run.json").read_text())["metrics"]
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    assert f"{metrics[0]['auroc']:.4f}" in capsys.readouterr().out


def test_rescore_adds_methods_to_a_saved_run(tmp_path, capsys):
    folder = str(tmp_path / "run")
    main([*WORDS.split(), "--keep-dynamics", "logits", "--out", folder])
    capsys.readouterr()
    assert main(["rescore", folder, "--methods", "loss", "cleanlab"]) == 0
    printed = capsys.readouterr().out
    assert "added cleanlab, loss" in printed
    assert re.search(r"loss\s+12\s+0\.1000", printed)
    same = characterize(
        "digits", subset=120, hardness="uniform", p=0.1, epochs=2, seed=3, methods="cleanlab loss"
    )
    scores = load_run(folder).scores
    assert list(scores) == ["aum", "cleanlab", "el2n", "loss"]
    assert np.allclose(scores[["cleanlab", "loss"]], same.scores, rtol=1e-6)
    options = ["--method-options", "forgetting.when=epoch_end"]
    assert main(["rescore", folder, "--methods", "forgetting", *options]) == 0
    assert main(["rescore", folder]) == 0
    assert "skipped vog: needs the model's gradients" in capsys.readouterr().out
    assert main(["rescore", folder, "--methods", "vog"]) == 2
    assert capsys.readouterr().err.startswith("hcat: vog needs the model's gradients")


@pytest.mark.parametrize(
    ("listing", "registry"),
    [
        ("methods", METHODS),
        ("hardness", PERTURBATIONS),
        ("datasets", SOURCES),
        ("models", MODELS),
    ],
)
def test_listings_have_one_line_each(listing, registry, capsys):
    assert main([listing]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == registry.names()


@pytest.mark.parametrize("words", [["methods", "el2n"], ["methods", "-v"]])
def test_listings_show_whole_cards_on_request(words, capsys):
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "    misleads         the last epochs alone forget" in printed
    assert ("\naum" in "\n" + printed) is ("-v" in words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "digitz"], r"hcat: unknown dataset 'digitz'.*nearest: digits"),
        (["run", "digits", "--epohcs", "3"], r"hcat: unknown option '--epohcs'.*--epochs"),
        (["run", "digits", "--hardness", "uniform", "--p", "2"], r"hcat: p is 2.0"),
        (["evaluate", "/nowhere"], r"hcat: .*nowhere holds no run"),
        (["run", "wine", "--hardest=-1"], r"hcat: argument --hardest: '-1' is no whole number"),
        (["trian"], r"hcat: .*invalid choice: 'trian'"),
        (["methods", "el2m"], r"hcat: unknown method 'el2m'.*nearest: el2n"),
        (["report", "/nowhere"], r"hcat: .*nowhere does not exist; expected a table of results"),
        (
            ["audit", "wine", "--report", "page.txt", "--epochs", "0"],
            r"hcat: page.txt is no name of",
        ),
        (["report", "notebooks", "--only", "p"], r"hcat: 'p' is no option; expected key=value"),
        (["report", "notebooks", "--out", "page.pdf"], r"hcat: the report cannot be written to"),
    ],
)
def test_mistakes_are_one_line_and_status_2(words, message, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert re.match(message, error)
    assert error.count("\n") == 1


def test_it_is_a_command():
    done = hcat("run", "--help")
    assert done.returncode == 0
    assert "--hardness" in done.stdout
    bare = hcat()
    assert bare.returncode == 0
    assert "evaluate" in bare.stdout
    assert re.fullmatch(r"hcat_nb \d+\.\d+\.\d+\n", hcat("--version").stdout)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_keeps_the_finished_epochs(tmp_path):
    words = ["run", "digits", "--epochs", "500", "--methods", "el2n", "--out", str(tmp_path / "r")]
    program = (
        "import sys, hcat_nb.runs.execution.bar as bar\n"
        "bar.TerminalBar.on_epoch = lambda self, event: print('epoch', flush=True)\n"
        "from hcat_nb.cli import main\n"
        f"sys.exit(main({words!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "epoch\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    run = load_run(tmp_path / "r")
    assert run.info["outcome"] == "stopped"
    assert 1 <= len(run.history) < 500


def test_a_file_is_run_by_its_path_and_told_how_it_was_read(tmp_path, capsys):
    rows = "".join(f"{i},{'red' if i % 3 else ''},{'oak' if i % 2 else 'elm'}\n" for i in range(40))
    (tmp_path / "trees.csv").write_text("height,leaf,kind\n" + rows)
    words = [str(tmp_path / "trees.csv"), "--target", "kind", "--epochs", "2", "--methods", "aum"]
    assert main(["run", *words, "--dataset-options", "drop=height"]) == 0
    said = capsys.readouterr().out
    assert "<Run: trees, 40 samples" in said
    assert "note: left out: height" in said
    assert "note: missing categories are a level of their own: leaf 14" in said


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(capsys, tmp_path):
    out = tmp_path / "run"
    main(["run", "wine", "--epochs", "2", "--methods", "aum,el2n", "--out", str(out), "--dry-run"])
    said = capsys.readouterr().out
    assert "el2n" in said
    assert "more memory" in said
    assert not out.exists()


def test_a_sweep_names_what_its_plan_can_say(tmp_path, capsys):
    (tmp_path / "own.csv").write_text("a,y\n" + "1,x\n2,z\n" * 20 + "3,\n")
    base = {"dataset": str(tmp_path / "own.csv"), "target": "y", "methods": ["el2n"]}
    (tmp_path / "sweep.yaml").write_text(json.dumps({"base": base, "out": str(tmp_path / "out")}))
    assert main(["sweep", str(tmp_path / "sweep.yaml"), "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert 'to mend it: on_missing_label="drop"' in error
    assert "--" not in error


@pytest.mark.slow
def test_a_sweep_ends_in_a_table_and_the_status_tells_of_failures(tmp_path, capsys):
    base = {"dataset": "wine", "hardness": "uniform", "model": "mlp", "methods": ["el2n"]}
    runs = [{"epochs": 1}, {"epochs": 3, "lr": 1e30}]
    source, out = tmp_path / "sweep.yaml", tmp_path / "an out"
    source.write_text(json.dumps({"base": base, "runs": runs, "out": str(out)}))
    assert main(["sweep", str(source), "--dry-run"]) == 0
    assert "2 runs, 0 of them done" in capsys.readouterr().out
    assert not out.exists()
    assert main(["sweep", str(source), "--workers", "1"]) == 1
    printed = capsys.readouterr().out
    assert f"{out}, 2 runs: 1 done, 1 failed" in printed
    (again,) = re.findall(r"again: hcat (.*)", printed)
    assert main(shlex.split(again)) == 1  # it fails again, alone
    assert "1 runs: 0 done, 1 failed" in capsys.readouterr().out
    assert main(["results", str(out)]) == 0
    assert re.search(r"wine +uniform .* el2n", capsys.readouterr().out)
    assert main(["results", str(out), "--out", str(tmp_path / "all.csv")]) == 0
    assert "1 runs, 7 rows" in capsys.readouterr().out
    head = subprocess.run(
        f"{sys.executable} -m hcat_nb results {shlex.quote(str(out))} | true",
        shell=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert head.stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("sweep absent.yaml --out x", "absent.yaml cannot be read"),
        ("sweep . --time-limit soon", "invalid float value"),
        ("sweep . --workers some", "no whole number, 0 or more"),
        ("results absent", "absent is no folder"),
    ],
)
def test_mistakes_of_sweeps_are_one_line(words, message, capsys):
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.fixture
def trees(tmp_path):
    rng = np.random.default_rng(0)
    kind = np.where(np.arange(120) % 2, "oak", "elm")
    lines = [
        f"{a:.4f},{b:.4f},{name},{name}s"
        for a, b, name in zip(*rng.random((2, 120)), kind, strict=True)
    ]
    path = tmp_path / "trees.csv"
    path.write_text("\n".join(["a,b,kind,plural", *lines]))
    return path


def test_check_prints_what_is_wrong_in_the_words_of_the_line(trees, capsys, tmp_path):
    assert main(["check", str(trees), "--target", "kind"]) == 1
    printed = capsys.readouterr().out
    assert "SEVERE: 'plural' (one value a class) alone tells the class" in printed
    assert "to mend it: --exclude plural, unless" in printed
    assert "no test set was given" in printed
    assert main(["check", str(trees), "--target", "kind", "--exclude", "plural"]) == 0
    assert main(["check", str(trees), "--target", "kind", "--json", "--test", str(trees)]) == 1
    told = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert {one["kind"] for one in told["findings"]} == {"leak", "overlap"}
    assert main(["check", str(tmp_path / "no.csv"), "--target", "kind"]) == 2
    assert main(["check", str(trees), "--target", "kid"]) == 2
    fixed = tmp_path / "new.csv"
    assert main(["check", str(trees), "--target", "kind", "--fix", str(fixed)]) == 1
    plan = fixed.with_name("new.csv.plan")
    plan.write_text(plan.read_text().replace("no [", "yes ["))
    assert main(["check", str(trees), "--target", "kind", "--fix", str(fixed)]) == 0
    assert fixed.read_text().splitlines()[0] == "a,b,kind"


def test_a_run_prints_severe_findings_first_and_a_strict_one_refuses(trees, capsys):
    words = ["run", str(trees), "--target", "kind", "--epochs", "1", "--methods", "el2n"]
    words += ["--no-learning-check", "--no-judges"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("hcat: severe: 'plural'")
    assert "--exclude plural" in printed.err.splitlines()[0]
    assert "note: severe: 'plural'" in printed.out
    assert main([*words, "--strict"]) == 2
    assert "hcat: strict, and a check of the data finds" in capsys.readouterr().err
    assert main([*words, "--strict", "--exclude", "found"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "note: excluded, as told: plural" in printed.out
