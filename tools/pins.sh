#!/usr/bin/env bash
# Write constraints.txt from the packages installed now. Usage: tools/pins.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: tools/pins.sh PYTHON}
{
  echo "# Exact versions that were tested together; write them anew with: make pins"
  echo "# CUDA packages are left out: torch pins its own."
  "$python" -m uv pip list --python "$python" --format=freeze --exclude-editable 2>/dev/null \
    | grep -vE '^(nvidia-|cuda-|triton|pip=|uv=|facexlib=|whyfake=)' | LC_ALL=C sort
} > constraints.txt
echo "pins: $(grep -c == constraints.txt) packages"
