from __future__ import annotations

import re
from pathlib import Path

import platformdirs.macos
import platformdirs.unix
import platformdirs.windows
import pytest

from hcat_nb import assets
from hcat_nb.errors import HcatError


def test_a_checkout_serves_the_source(repository: Path) -> None:
    assert assets.asset("live_map.js") == repository / "widgets" / "src" / "live_map.js"


def test_weights_lie_beside_their_method(repository: Path) -> None:
    shipped = repository / "hcat_nb" / "methods" / "detector.safetensors"
    assert assets.asset("detector.safetensors") == shipped


def test_an_installed_copy_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "static").mkdir()
    shipped = tmp_path / "static" / "live_map.js"
    shipped.write_text("export default {};")
    monkeypatch.setattr(assets, "_FOLDERS", (tmp_path / "static", *assets._FOLDERS[1:]))
    assert assets.asset("live_map.js") == shipped


def test_a_missing_file_is_named() -> None:
    with pytest.raises(HcatError, match=r"'no\.js' is missing.*install the package again"):
        assets.asset("no.js")


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HCAT_CACHE", str(tmp_path / "own"))
    assert assets.user_cache() == tmp_path / "own"
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("system", "variable", "end"),
    [
        (platformdirs.unix.Unix, "XDG_CACHE_HOME", ("hcat_nb",)),
        (platformdirs.windows.Windows, "LOCALAPPDATA", ("hcat_nb",)),
        (platformdirs.macos.MacOS, "HOME", ("Library", "Caches", "hcat_nb")),
    ],
)
def test_each_platform_has_its_cache_where_earlier_versions_had_it(
    system: type[platformdirs.unix.Unix],
    variable: str,
    end: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("HCAT_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(platformdirs, "PlatformDirs", system)
    from_environment = platformdirs.windows.get_win_folder_from_env_vars
    monkeypatch.setattr(platformdirs.windows, "get_win_folder", from_environment)
    assert assets.user_cache() == tmp_path.joinpath(*end)


def test_a_front_end_file_is_served_with_what_it_imports_before_it(repository: Path) -> None:
    for path in (repository / "widgets/src").glob("*.js"):
        text = assets.source(path.name)
        assert not re.search(r"^\s*import\b", text, re.MULTILINE), path.name
        assert text.count("export default") == 1
        names = re.findall(
            r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)", text, re.M
        )
        assert len(names) == len(set(names)), f"{path.name}: a name of the top level stands twice"
    for path in (repository / "widgets/src").glob("*.css"):
        text = assets.source(path.name)
        assert "@import" not in text
        assert text.count("--hcat-accent: #1f6fc4") == 1


def test_a_shared_file_is_joined_once_and_a_missing_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    line = 'import { one } from "./{}one.js";\n'
    (tmp_path / "shared/one.js").write_text("export const one = 1;\n")
    (tmp_path / "shared/two.js").write_text(line.replace("{}", "") + "export const two = one;\n")
    many = 'import {\n  two,\n} from "./shared/two.js";\n'
    (tmp_path / "main.js").write_text(line.replace("{}", "shared/") + many + "two;\n")
    monkeypatch.setattr(assets, "_FOLDERS", (tmp_path,))
    joined = "export const one = 1;\n\n\nexport const two = one;\n\ntwo;\n"
    assert assets.source("main.js") == joined
    (tmp_path / "shared/one.js").unlink()
    with pytest.raises(HcatError, match=r"'shared/one\.js' is missing"):
        assets.source("main.js")
