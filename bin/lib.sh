# What bin/demo and bin/test share: a Python, and an environment with exactly what a lock file names.
# POSIX sh. The two commands source it from the top of the tree.

# Compiled files stay in .venv and __pycache__; without them every start would take seconds longer.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }

find_python() {
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "Python 3.11, 3.12 or 3.13 is needed, and none was found. Set PYTHON to one."
  exit 2
}

# need LOCK: make .venv if it is missing and install LOCK into it, once per version of LOCK.
need() {
  stamp=.venv/.installed-$(basename "$1")
  if [ -f "$stamp" ] && cmp -s "$1" "$stamp"; then return; fi
  if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    say "Making an environment in .venv (a minute, the first time) ..."
    rm -rf .venv
    # Without pip: a tenth of the time, and Debian's python3 can do it without the package python3-venv.
    "$python" -m venv --without-pip .venv
  fi
  install_locked "$1"
  cp "$1" "$stamp"
}

# With hashes, without a resolver and without compilers: what is installed is what the lock says or nothing.
install_locked() {
  if [ -z "${NO_UV:-}" ] && command -v uv >/dev/null 2>&1; then
    uv pip install -q --python .venv/bin/python --require-hashes --no-deps --only-binary :all: -r "$1" && return
    say "uv could not install $1; trying pip."
  fi
  set -- install -q --disable-pip-version-check --no-compile --require-hashes --no-deps --only-binary :all: -r "$1"
  python=$(find_python)
  if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m pip --python .venv/bin/python "$@"; then return; fi
  if .venv/bin/python -m ensurepip -q >/dev/null 2>&1 && .venv/bin/python -m pip "$@"; then return; fi
  say "The packages could not be installed: neither uv nor pip did it with $python."
  say "If this Python has no pip, install it (Debian: python3-pip or python3-venv) and run the command again."
  exit 2
}
