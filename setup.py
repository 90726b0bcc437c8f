"""Compiles the kernels (see `gbscape.native`); everything else about the package stands in pyproject.toml."""

import copy
import platform
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
from gbscape.native import fingerprint

KERNELS = [
    "gbscape.crystal.boxes",
    "gbscape.crystal.descriptor",
    "gbscape.features.soap_native",
    "gbscape.features.spectra",
    "gbscape.features.scattering_oriented",
    "gbscape.learn.monte_carlo_dropout",
]
"""Modules with a C++ file beside them."""

FLAGS = [
    "-std=c++17",
    "-O3",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-pthread",
]
BUILDS = {"generic": []}
if platform.machine() in ("x86_64", "AMD64"):
    BUILDS |= {"avx2": ["-march=x86-64-v3"], "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"]}


class BuildLibraries(build_ext):
    """Plain shared libraries, compiled at once: no module initialisation, no Python version in the name."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.parallel = True

    def build_extension(self, ext: Extension) -> None:
        # object files of a kernel's builds have one name
        alone = copy.copy(self)
        alone.build_temp = str(Path(self.build_temp, ext.name))
        build_ext.build_extension(alone, ext)

    def get_ext_filename(self, fullname: str) -> str:
        return str(Path(*fullname.split(".")).with_suffix(".so"))

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return []


def extension(module: str, build: str) -> Extension:
    package, name = module.rsplit(".", 1)
    return Extension(
        f"{package}._{name}_{build}",
        [str(Path("src", *module.split(".")).with_suffix(".cpp"))],
        include_dirs=["src/gbscape/native"],
        # setup.py: other flags make other libraries
        depends=[*(str(header) for header in Path("src/gbscape/native").glob("*.hpp")), "setup.py"],
        define_macros=[("GBSCAPE_SOURCES", f'"{fingerprint(module)}"')],
        extra_compile_args=["-include", "src/gbscape/native/sources.hpp", *FLAGS, *BUILDS[build]],
        extra_link_args=["-pthread"],
        language="c++",
    )


setup(
    ext_modules=[
        extension("gbscape.native.cpu", "generic"),
        *(extension(module, build) for module in KERNELS for build in BUILDS),
    ],
    cmdclass={"build_ext": BuildLibraries},
)
