#!/usr/bin/env bash
# Make a virtual environment with exactly the packages of constraints.txt.
# Usage: tools/setup.sh VENV [EXTRAS]      (PYTHON: the interpreter to use, 3.11 or newer)
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:?usage: tools/setup.sh VENV [EXTRAS]}
extras=${2:-}
python=${PYTHON:-python3}

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
say() { printf 'setup: %s\n' "$*"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else return 1; fi; }

good() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
if ! good "$python"; then
  for candidate in python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && good "$candidate"; then python=$candidate; break; fi
  done
  good "$python" || fail "Python 3.11 or newer is needed, and '$python' is not. Install it (on Debian 12+
       or Ubuntu 24.04+: apt-get install python3 python3-venv), or run: make setup PYTHON=/path/to/python"
fi

make_venv() { "$python" -m venv "$venv" >"$log" 2>&1; }
log=$(mktemp); trap 'rm -f "$log"' EXIT
if ! { [ -x "$venv/bin/python" ] && good "$venv/bin/python" \
       && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
  say "making $venv with $("$python" --version)"
  rm -rf "$venv"
  if ! make_venv; then
    # Debian splits venv off python3.
    short=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    say "this Python has no venv module; installing python3-venv"
    { as_root apt-get update -qq && { as_root apt-get install -y -qq "$short-venv" python3-pip \
        || as_root apt-get install -y -qq python3-venv python3-pip; }; } >"$log" 2>&1 \
      || fail "the venv module is missing. Run: sudo apt-get install python3-venv python3-pip"
    rm -rf "$venv"
    make_venv || { cat "$log" >&2; fail "could not make $venv"; }
  fi
fi

py=$venv/bin/python
if ! "$py" -m uv --version >/dev/null 2>&1; then
  "$py" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' requirements/tools.txt)" \
    >"$log" 2>&1 || say "uv could not be installed; using pip, which takes longer"
fi

target=.
[ -n "$extras" ] && target=".[$extras]"
say "installing the pinned packages${extras:+ with $extras} (torch is most of it)"
if "$py" -m uv --version >/dev/null 2>&1; then
  install=("$py" -m uv pip install --quiet --python "$py")
  # Compiled here, once and on all cores: else the first start takes a minute longer, and every
  # start where PYTHONDONTWRITEBYTECODE is set.
  isolated=(--build-constraints constraints.txt --compile-bytecode)
else
  install=("$py" -m pip install --quiet --disable-pip-version-check)
  isolated=()
fi
run() {
  "${install[@]}" "$@" 2>"$log" && return
  tail -n 15 "$log" >&2
  fail "packages could not be installed. Check the connection and the free disk space, then run make
       setup again: it goes on where it stopped."
}
run --constraint constraints.txt "${isolated[@]}" --editable "$target"
run --no-deps --requirement requirements/no-deps.txt
say "done: $venv/bin/whyfake"
