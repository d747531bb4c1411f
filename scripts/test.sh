#!/bin/sh
# npm test: sets up what the tests need, then runs all of them. On Debian as root it installs the real parts (engine, broker, browser, …);
# elsewhere a suite whose real part is missing is reported as not run.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
sh scripts/install-real-parts.sh
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec tsx scripts/test.ts "$@"
