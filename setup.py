"""Compiles the kernels (see `gbscape.native`); everything else about the package stands in pyproject.toml."""

import platform
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = [
    "gbscape.crystal.boxes",
    "gbscape.features.soap_native",
    "gbscape.features.spectra",
    "gbscape.features.scattering_oriented",
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
    """Plain shared libraries: no module initialisation, no Python version in the name."""

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
        depends=[str(header) for header in Path("src/gbscape/native").glob("*.hpp")],
        extra_compile_args=[*FLAGS, *BUILDS[build]],
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
