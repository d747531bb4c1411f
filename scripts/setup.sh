#!/bin/sh
# Sets up what every script needs: the packages of package-lock.json. Runs only when they are missing or older than the lock file.
# Prints what it does; asks for nothing.
set -eu
cd "$(dirname "$0")/.."
if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "Skerry needs Node 20 or newer with npm: https://nodejs.org (Debian: apt-get install nodejs npm)" >&2
  exit 1
fi
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
  echo "Skerry needs Node 20 or newer to start; this is $(node --version). Everything then runs on the Node 24 that npm installs." >&2
  exit 1
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "setup: installing packages (npm ci)"
  npm ci --loglevel=error --no-audit --no-fund
fi
