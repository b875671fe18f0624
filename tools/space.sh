#!/usr/bin/env bash
# Make the folder of a Hugging Face Space. Usage: tools/space.sh OUT
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?usage: tools/space.sh OUT}
if [ -e "$out" ] && [ -n "$(ls -A "$out")" ]; then
  echo "space: $out is not empty; name a new folder" >&2
  exit 2
fi
mkdir -p "$out"
cp spaces/app.py spaces/README.md spaces/requirements.txt LICENSE NOTICE "$out"/
cp -r prompts "$out"/
for folder in assistant weights; do
  (cd "$folder/.." && find "$folder" -name __pycache__ -prune -o -type f -print0) \
    | tar --null -T - -cf - | tar -xf - -C "$out"
done
echo "space: $out is ready ($(du -sh "$out" | cut -f1))"
