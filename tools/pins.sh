#!/usr/bin/env bash
# Write constraints.txt from the packages installed now; pins of extras that are not installed stay.
# Usage: tools/pins.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: tools/pins.sh PYTHON}
now=$("$python" -m uv pip list --python "$python" --format=freeze --exclude-editable 2>/dev/null \
  | grep -vE '^(nvidia-|cuda-|triton|pip=|uv=|facexlib=|whyfake=)')
kept=$(grep -E '^[a-z]' constraints.txt | while IFS= read -r pin; do
  grep -q "^${pin%%==*}==" <<<"$now" || echo "$pin"
done)
{
  echo "# Exact versions that were tested together; write them anew with: make pins"
  echo "# CUDA packages are left out: torch pins its own."
  printf '%s\n%s\n' "$now" "$kept" | grep . | LC_ALL=C sort
} > constraints.new
mv constraints.new constraints.txt
echo "pins: $(grep -c == constraints.txt) packages"
