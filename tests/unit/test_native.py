import shutil
import subprocess

import pytest

from gbscape import native

MODULE = "gbscape.crystal.boxes"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of what a module has, its libraries included."""
    for folder in ("native", "crystal"):
        (tmp_path / folder).mkdir()
        for file in (native._PACKAGE / folder).iterdir():
            if file.suffix in (".cpp", ".hpp", ".so"):
                shutil.copy(file, tmp_path / folder)
    monkeypatch.setattr(native, "_PACKAGE", tmp_path)
    native.load.cache_clear()
    yield tmp_path
    native.load.cache_clear()


def test_a_kernel_is_loaded_beside_its_sources_or_without_them(package):
    assert native.load(MODULE).gbscape_cut_boxes
    native.load.cache_clear()
    for source in package.glob("*/*.[ch]pp"):
        source.unlink()
    assert native.load(MODULE).gbscape_cut_boxes


def test_a_kernel_of_other_sources_is_refused(package):
    with (package / "crystal" / "boxes.cpp").open("a") as file:
        file.write("// changed\n")
    with pytest.raises(ImportError, match=r"_boxes_.* was compiled from other sources than are there now"):
        native.load(MODULE)


def test_a_library_that_does_not_know_its_sources_is_refused(package):
    source = package / "empty.cpp"
    source.write_text("int nothing;\n")
    for library in (package / "crystal").glob("*.so"):
        library.unlink()
    subprocess.run(["c++", "-shared", "-fPIC", source, "-o", package / "crystal" / "_boxes_generic.so"], check=True)
    with pytest.raises(ImportError, match="was compiled from other sources"):
        native.load(MODULE)


def test_headers_count_where_they_are_included(package):
    (package / "crystal" / "x.cpp").write_text('#include <cmath>\n#include "cell_list.hpp"\n')
    before = native.fingerprint("gbscape.crystal.x")
    for header, counts in (
        ("cell_list", True),
        ("vectors", True),
        ("fft", False),
    ):  # cell_list.hpp includes vectors.hpp
        with (package / "native" / f"{header}.hpp").open("a") as file:
            file.write("// changed\n")
        now = native.fingerprint("gbscape.crystal.x")
        assert (now != before) == counts
        before = now


def test_what_is_not_compiled_is_said(package):
    for library in package.glob("crystal/*.so"):
        library.unlink()
    with pytest.raises(ImportError, match=r"gbscape\.crystal\.boxes has not been compiled .* run `make setup`"):
        native.load(MODULE)
