#!/usr/bin/env bash
# See that there is a Chromium for the tests that drive the page. Usage: tools/browser.sh PYTHON
set -euo pipefail
python=${1:?usage: tools/browser.sh PYTHON}
# Ubuntu's chromium-browser may be a note that asks for a snap: only one that answers counts.
works() { command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1; }
for name in "${WHYFAKE_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && works "$name"; then exit 0; fi
done
if "$python" - <<'PY'
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not pathlib.Path(p.chromium.executable_path).exists())
PY
then exit 0; fi
log=$(mktemp); trap 'rm -f "$log"' EXIT
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "browser: installing Debian's chromium for the page's tests"
  if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      chromium; } >"$log" 2>&1 && works chromium; then exit 0; fi
  tail -n 5 "$log" >&2
fi
echo "browser: installing Playwright's chromium for the page's tests"
"$python" -m playwright install --with-deps chromium >"$log" 2>&1 \
  || "$python" -m playwright install chromium >"$log" 2>&1 \
  || { tail -n 5 "$log" >&2
       echo "browser: no Chromium. Install one (apt-get install chromium), then run make test again." >&2
       exit 1; }
