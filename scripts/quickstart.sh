#!/bin/sh
# npm run quickstart [-- --check]: from a fresh clone to a container that answers.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec tsx scripts/quickstart.ts "$@"
