#!/bin/sh
# Set up .venv with the locked packages: setup.sh run|dev [bench]. Does nothing when up to date.
# With "dev" it also installs what the tests look at pages with: Chromium, poppler, a font, and
# what they read mail from: Dovecot; with "dev bench" a C compiler too.
set -eu
cd "$(dirname "$0")/.."
kind=$1
stamp=.venv/.installed-$kind
wanted=$(cat "requirements/$kind.txt" pyproject.toml | sha256sum)

say() { echo "setup: $*" >&2; }

apt_install() {
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        say "please install: $* (as root, with your system's package manager)"
        exit 2
    fi
    say "installing $* with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null \
            && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$name"
            return
        fi
    done
}

if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    python=$(find_python)
    if [ -z "$python" ]; then
        apt_install python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || { say "Python 3.11 or newer is needed"; exit 2; }
    fi
    if [ ! -x .venv/bin/pip ]; then
        say "making .venv"
        "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
        "$python" -m venv --clear .venv
    fi
    say "installing the locked packages (requirements/$kind.txt)"
    .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes \
        -r "requirements/$kind.txt"
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
        --editable .
    echo "$wanted" > "$stamp"
fi

if [ "$kind" = dev ]; then
    missing=""
    command -v chromium >/dev/null || missing="$missing chromium"
    command -v pdftotext >/dev/null || missing="$missing poppler-utils"
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing="$missing fonts-dejavu-core"
    [ -x /usr/sbin/dovecot ] || command -v dovecot >/dev/null || missing="$missing dovecot-imapd"
    [ "${2:-}" != bench ] || command -v cc >/dev/null || missing="$missing gcc libc6-dev"
    [ "${2:-}" != bench ] || command -v wrk >/dev/null || missing="$missing wrk"
    # shellcheck disable=SC2086  # a list of names
    [ -z "$missing" ] || apt_install $missing
fi
