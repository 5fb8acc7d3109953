# Shared by the chores: find a Python, make .venv, install what is pinned. Sourced, not run.

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 2; }

# Debian packages, installed when we may, else named.
need_packages() {
  local missing=()
  for name in "$@"; do dpkg -s "$name" >/dev/null 2>&1 || missing+=("$name"); done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "these packages are missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  command -v apt-get >/dev/null 2>&1 || fail "these packages are missing: ${missing[*]}. Install them with your system's package manager."
  say "Installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

find_python() {
  local name
  for name in ${PINAKES_PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  fail "no Python 3.11 or newer was found. Install one, or name it: PINAKES_PYTHON=/path/to/python3"
}

# install_into_venv EXTRA: .venv with the pinned packages; nothing to do when pins and extra are those of last time.
install_into_venv() {
  local extra="$1" python stamp
  python=$(find_python)
  if [ ! -x .venv/bin/python ]; then
    "$python" -c 'import ensurepip' 2>/dev/null ||
      need_packages "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    say "Making .venv"
    "$python" -m venv .venv
  fi
  stamp="$extra $(cat pyproject.toml constraints.txt | sha256sum)"
  [ "$(cat .venv/.pinakes-installed 2>/dev/null || true)" = "$stamp" ] && return
  say "Installing the packages that Pinakes needs (the first time takes some minutes)"
  # torch first and by its exact version: a looser wish would replace it by a build with all of CUDA.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$(grep '^torch==' constraints.txt)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".${extra}"
  echo "$stamp" > .venv/.pinakes-installed
}
