#!/bin/sh
# Builds GPAW, which only the DFT energies need, into .venv: with libxc, OpenBLAS, FFTW and the environment's own MPICH, or,
# where that fails, with GPAW's own code in their place and without MPI. What requirements.lock pins stays as it is.
set -e
cd "$(dirname "$0")/.."
version=26.7.0
data_version=1.2.1
python=$PWD/.venv/bin/python
[ -x "$python" ] || { echo "There is no environment yet: make setup" >&2; exit 1; }

installed() { # also proves that the compiled part can be loaded
    (cd / && "$python" -c "import _gpaw, gpaw; assert gpaw.__version__ == '$version'" 2>/dev/null)
}

describe() {
    (cd / && "$python" -c "
from gpaw import cgpaw, get_libraries
libxc = get_libraries()['libxc']
print('GPAW $version is ready:', 'with libxc ' + libxc + ',' if libxc else 'without libxc (PBE is its own),',
      'with MPI' if cgpaw.have_mpi else 'without MPI: ranks must be 1')")
}

if installed; then
    describe
    exit 0
fi
sh envs/compiler.sh
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq libxc-dev libopenblas-dev libfftw3-dev >/dev/null; } ||
        echo "apt-get failed; GPAW is built with what is there." >&2
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
has() { # library, header
    printf '#include <%s>\nint main() { return 0; }\n' "$2" >"$scratch/probe.cpp"
    "${CXX:-g++}" "$scratch/probe.cpp" -o "$scratch/probe" "-l$1" 2>/dev/null
}
build() { # no cache: pip would take a wheel that was built with another configuration
    GPAW_CONFIG="$scratch/config.py" PATH="$PWD/.venv/bin:$PATH" "$python" -m pip install --quiet --no-cache-dir \
        --force-reinstall --no-deps --build-constraint requirements.lock "gpaw==$version" && installed
}

"$python" -m pip install --quiet --no-deps "gpaw-data==$data_version"
{
    echo "libraries = []"
    if has xc xc.h; then echo "libraries += ['xc']; nolibxc = False"; else echo "nolibxc = True"; fi
    if has openblas stdio.h; then echo "libraries += ['openblas']; noblas = False"; else echo "noblas = True"; fi
    if has fftw3 fftw3.h; then echo "libraries += ['fftw3']; fftw = True"; fi
    if [ -x .venv/bin/mpicxx ]; then echo "mpi = True; compiler = 'mpicxx'"; else echo "mpi = False; compiler = 'g++'"; fi
} >"$scratch/config.py"
echo "Building GPAW (about a minute) with: $(grep -v '^libraries = ' "$scratch/config.py" | paste -s -d ';')"
if ! build; then
    echo "That failed; building it without any library and without MPI." >&2
    echo "libraries = []; nolibxc = True; noblas = True; mpi = False; compiler = '${CXX:-g++}'" >"$scratch/config.py"
    build || {
        echo "GPAW cannot be built. It needs a C++17 compiler and the headers of Python (Debian: apt-get install g++ python3-dev)." >&2
        exit 1
    }
fi
describe
