#!/bin/sh
# Installs one system package, where a package manager is at hand: system_package.sh NAME HOMEPAGE
set -eu
name=$1 homepage=$2

by_hand() {
    echo "$name is missing and cannot be installed from here: get it from $homepage, then run make again." >&2
    exit 1
}

if command -v apt-get >/dev/null; then
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || by_hand
        as_root=sudo
    fi
    echo "installing $name with apt-get" >&2
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$name" >/dev/null
elif command -v brew >/dev/null; then
    brew install "$name"
else
    by_hand
fi
