import os
import time

from bluebear_magic.folders import prune


def test_only_what_is_old_is_removed(tmp_path):
    for name, days in (("old", 8), ("new", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        then = time.time() - days * 86_400
        os.utime(tmp_path / name, (then, then))
    prune(tmp_path, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_folder_that_is_not_there_is_no_problem(tmp_path):
    prune(tmp_path / "none", 7)
    assert not (tmp_path / "none").exists()
