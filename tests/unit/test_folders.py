import os
import time

import pytest

from bluebear_magic.folders import make_room, prune, touch


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


@pytest.fixture
def copies(tmp_path):
    """Three folders of 100 bytes, last used five, four and three hours ago."""
    for name, hours in (("oldest", 5), ("older", 4), ("old", 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(100))
        then = time.time() - hours * 3600
        os.utime(tmp_path / name, (then, then))
    return tmp_path


@pytest.mark.parametrize(
    ("needed", "left"),
    [(0, ["old", "older", "oldest"]), (1, ["old", "older"]), (150, ["old"]), (500, [])],
)
def test_room_is_made_of_what_was_used_longest_ago(copies, needed, left):
    make_room(copies, needed, 300)
    assert sorted(path.name for path in copies.iterdir()) == left


def test_what_was_used_just_now_stays(copies):
    touch(copies / "oldest")
    make_room(copies, 500, 300)
    assert [path.name for path in copies.iterdir()] == ["oldest"]
    make_room(copies / "none", 1, 0)
