#!/bin/sh
# The kernels are compiled on installation. Install a C++ compiler where that is possible, else say what is missing.
command -v "${CXX:-g++}" >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq g++ >/dev/null
fi
command -v "${CXX:-g++}" >/dev/null || {
    echo "gbscape compiles its kernels and needs a C++ compiler. On Debian or Ubuntu: apt-get install g++" >&2
    exit 1
}
