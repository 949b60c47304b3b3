#!/bin/sh
# Lock exact versions and hashes into requirements/*.txt. Needs uv: pip install uv
set -eu
cd "$(dirname "$0")/.."
lock() {
    uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}
lock pyproject.toml requirements/run.in --output-file requirements/run.txt
lock pyproject.toml requirements/run.in --group pyproject.toml:dev \
    --constraint requirements/run.txt --output-file requirements/dev.txt
