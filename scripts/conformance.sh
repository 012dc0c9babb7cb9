#!/usr/bin/env bash
# Runs the conformance suites of the distribution-spec against the embedded registry, in memory and in a folder:
#   scripts/conformance.sh            both suites
#   scripts/conformance.sh legacy     the one released with version 1.1.1 of the specification
#   scripts/conformance.sh current    the one that replaced it
# The suites are built with Go, at pinned versions, into GANTRY_PEERS_DIR (default: ~/.cache/gantry-peers).
# CONFORMANCE_LEGACY and CONFORMANCE_CURRENT name programs that are built already. GANTRY_CONFORMANCE_SOURCE names the
# folder `conformance` of a checkout of https://github.com/opencontainers/distribution-spec: the suite in it is built
# from there instead of the pinned version, and is the only one that runs unless others are named:
#   GANTRY_CONFORMANCE_SOURCE=../distribution-spec/conformance scripts/conformance.sh
# The registry comes from dist/testing.js; GANTRY_LIBRARY names another build of the library.
# Exit status: 0 everything passed, 1 something failed, 2 called wrongly, 77 a suite cannot be had here and nothing
# else failed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${GANTRY_PEERS_DIR:-${PEERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/gantry-peers}}
module=github.com/opencontainers/distribution-spec/conformance
legacy_version=v0.0.0-20250220192232-583e014d1541
current_version=v0.0.0-20260831232431-97274622c111

# A suite in a folder: the current one is a program, the legacy one is made of tests.
source=''
source_suite=''
if [ -n "${GANTRY_CONFORMANCE_SOURCE:-}" ]; then
  if [ -f "$GANTRY_CONFORMANCE_SOURCE/main.go" ]; then
    source_suite=current
  elif [ -f "$GANTRY_CONFORMANCE_SOURCE/00_conformance_suite_test.go" ]; then
    source_suite=legacy
  else
    echo "conformance: there is no suite in GANTRY_CONFORMANCE_SOURCE ($GANTRY_CONFORMANCE_SOURCE)" >&2
    exit 2
  fi
  source=$(cd "$GANTRY_CONFORMANCE_SOURCE" && pwd)
  [ $# -gt 0 ] || set -- "$source_suite"
fi

work=$(mktemp -d)
server=''
stop_server() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=''
  fi
}
trap 'stop_server; rm -rf "$work"' EXIT

# The program of a suite; built where it is not there yet. Fails where it cannot be had.
suite_program() { # suite version command...
  local suite=$1 version=$2
  shift 2
  local target="$folder/conformance-$suite-$version"
  # Source in a folder can change, so what is built from it is not kept.
  if [ "$suite" = "$source_suite" ]; then target="$work/$suite.program"; fi
  if [ ! -x "$target" ]; then
    command -v go >/dev/null || { echo "conformance: go is not installed" >&2; return 1; }
    mkdir -p "$folder" "$work/$suite"
    (
      cd "$work/$suite"
      if [ "$suite" = "$source_suite" ]; then
        cp -R "$source/." . && "$@" -o "$work/$suite.built" .
      else
        go mod init build.local/conformance && go get "$module@$version" && "$@" -o "$work/$suite.built" "$module"
      fi
    ) >"$work/$suite.log" 2>&1 || { tail -n 5 "$work/$suite.log" >&2; return 1; }
    mv "$work/$suite.built" "$target"
  fi
  echo "$target"
}

start_server() { # [folder]
  # The address of the server before must not be taken for this one's.
  : >"$work/address"
  # A file, not a pipe: nobody would read what comes later.
  node "$here/conformance-server.js" "$@" >"$work/address" &
  server=$!
  local attempt
  for attempt in $(seq 100); do
    address=$(cat "$work/address")
    [ -z "$address" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo 'conformance: the registry does not start' >&2
  return 1
}

# Each prints what failed, and fails when anything did.
run_legacy() { # program
  local status=0
  OCI_ROOT_URL="http://$address" OCI_NAMESPACE=conformance/one OCI_CROSSMOUNT_NAMESPACE=conformance/two \
    OCI_TEST_PULL=1 OCI_TEST_PUSH=1 OCI_TEST_CONTENT_DISCOVERY=1 OCI_TEST_CONTENT_MANAGEMENT=1 \
    OCI_HIDE_SKIPPED_WORKFLOWS=1 OCI_DEBUG=0 "$1" >output 2>&1 || status=$?
  grep -E '^Ran [0-9]+ of|Passed.*Failed' output || true
  if [ "$status" -eq 0 ] && grep -qE '^Ran [1-9][0-9]* of' output; then return 0; fi
  grep -F '[Fail]' output || tail -n 40 output
  return 1
}

run_current() { # program
  local status=0
  OCI_REGISTRY=$address OCI_TLS=disabled OCI_REPO1=conformance/one OCI_REPO2=conformance/two \
    OCI_VERSION=1.1+dev OCI_RESULTS_DIR=results "$1" >output 2>&1 || status=$?
  # It ends with 0 as well when it could not begin, and has no result then.
  if ! grep -q '^OCI Conformance Result: ' output; then
    tail -n 40 output
    return 1
  fi
  sed -n '/^OCI Conformance Result/,/Total/p' output
  if [ "$status" -eq 0 ] && grep -qx 'OCI Conformance Result: Pass' output; then return 0; fi
  sed -n '/^Errors:/,/^$/p' output
  return 1
}

failed=0
missing=0
run_suite() { # suite program
  local place
  for place in memory folder; do
    mkdir -p "$work/$1-$place"
    echo "conformance: $1 suite, registry in $place"
    if [ "$place" = memory ]; then start_server; else start_server "$work/$1-$place/data"; fi
    (cd "$work/$1-$place" && "run_$1" "$2") || { echo "conformance: $1 suite, registry in $place: FAILED"; failed=1; }
    stop_server
  done
}

[ $# -gt 0 ] || set -- legacy current
for suite; do
  program=''
  case $suite in
    legacy) program=${CONFORMANCE_LEGACY:-$(suite_program legacy "$legacy_version" go test -c)} || missing=1 ;;
    current) program=${CONFORMANCE_CURRENT:-$(suite_program current "$current_version" go build)} || missing=1 ;;
    *)
      echo "conformance: there is no suite called '$suite'" >&2
      exit 2
      ;;
  esac
  if [ -n "$program" ]; then run_suite "$suite" "$program"; else echo "conformance: the $suite suite cannot be had here"; fi
done
[ "$failed" -eq 0 ] || exit 1
[ "$missing" -eq 0 ] || exit 77
