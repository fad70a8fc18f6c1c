#!/usr/bin/env bash
# The demonstration behind `make demo`: the specs are proved, real flows run, and messages end up in a folder.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

# The Docker example runs where there is an engine; its image is made from the machine's own busybox, or pulled.
tools_image() {
  docker info >/dev/null 2>&1 || return 1
  docker image inspect "$TOOLS_IMAGE" >/dev/null 2>&1 && return 0
  local busybox
  busybox=$(command -v busybox || true)
  if [ -n "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1; then
    local root
    root=$(mktemp -d)
    mkdir -p "$root/bin" "$root/tmp"
    cp "$busybox" "$root/bin/busybox"
    for applet in $("$busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
    tar -C "$root" -c . | docker import --change 'ENV PATH=/bin' - "$TOOLS_IMAGE" >/dev/null
    rm -r "$root"
  else
    docker pull --quiet busybox:stable >/dev/null 2>&1 && docker tag busybox:stable "$TOOLS_IMAGE"
  fi
}

mkdir -p "$PREFECT_HOME"
step flowmill validate
step flowmill run specs/reports/monthly.yaml --env staging
if tools_image; then
  step flowmill run specs/examples/template.yaml --env staging
else
  echo "no Docker engine, or no image for it: the Docker example is left out"
fi
printf '\nThe mail and the messages that these runs would have sent:\n'
ls -1 outbox
echo "Open the .eml in a mail program. \`prefect server start\` shows the runs if you set PREFECT_HOME=$PREFECT_HOME."
