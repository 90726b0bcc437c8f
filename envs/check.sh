#!/bin/sh
# OVITO's wheel needs a few system libraries even without a screen. Install them where that is possible, else say which.
python=$1
"$python" -c "import ovito" 2>/dev/null && exit 0
packages="libgl1 libegl1 libx11-6 libxcb1 libxkbcommon0 libfontconfig1 libdbus-1-3 libglib2.0-0"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq $packages >/dev/null
fi
"$python" -c "import ovito" || {
    echo "OVITO cannot be loaded. On Debian or Ubuntu: apt-get install $packages" >&2
    exit 1
}
