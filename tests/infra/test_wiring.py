import os
from pathlib import Path

from infra.wiring.stages import own_scratch

NO_PROCESS = 2**22 + 1  # above the highest pid of a Linux system


def test_a_process_has_a_scratch_folder_of_its_own(tmp_path: Path) -> None:
    first, second = own_scratch(tmp_path / "scratch", "render-1"), own_scratch(tmp_path / "scratch", "render-2")
    assert first != second
    assert own_scratch(tmp_path / "scratch", None).name == f"pid-{os.getpid()}"


def test_a_start_empties_its_own_folder_and_removes_those_of_the_dead_alone(tmp_path: Path) -> None:
    mine = own_scratch(tmp_path, "render-1")
    other = own_scratch(tmp_path, "render-2")
    dead = tmp_path / f"pid-{NO_PROCESS}"
    for folder in (mine, other, dead):
        folder.mkdir(exist_ok=True)
        (folder / "clip.mp4").touch()
    again = own_scratch(tmp_path, "render-1")
    assert (list(again.iterdir()), dead.exists()) == ([], False)
    assert (other / "clip.mp4").exists()
