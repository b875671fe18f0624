"""The child process of the ``llama-cpp`` backend: llama.cpp's HTTP server on loopback.

Reads one line of JSON options from stdin, answers with one line of JSON (``url`` or ``error``) on
stdout, and serves until stdin closes, which also happens when the parent dies. Imports nothing of
``assistant``, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["main"]


def main() -> int:
    """Serve one model; returns the exit status."""
    options: dict[str, Any] = json.loads(sys.stdin.readline())
    # llama.cpp may write to stdout: keep the real one for the answer, give it stderr.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        server = _start(options)
    except (ImportError, RuntimeError, ValueError, OSError, MemoryError) as error:
        answer.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        answer.flush()
        return 1
    answer.write(json.dumps({"url": server.listening_address}) + "\n")
    answer.flush()
    while sys.stdin.read(65_536):
        pass
    # No orderly shutdown: it would wait for a running generation.
    os._exit(0)


def _start(options: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    if options["mmproj"]:
        params.mmproj.path = options["mmproj"]
    params.mmproj_use_gpu = False
    params.n_gpu_layers = 0
    params.n_ctx = options["context"]
    params.n_parallel = 1
    params.cache_ram_mib = options["cache_mib"]
    params.cpuparams.n_threads = options["threads"]
    params.cpuparams_batch.n_threads = 1 if _busy() else options["batch_threads"]
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # threads that wait sleep
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [options["key"]]
    params.ui = False
    params.warmup = False
    params.verbosity = 0
    if options["full_precision"]:
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if options["adapter"]:
        params.lora_adapters = [
            xllamacpp.CommonAdapterLoraInfo(options["adapter"], options["adapter_scale"])
        ]
    return xllamacpp.Server(params)


def _busy() -> bool:
    """Others use all cores: threads that spin for each other would then slow each other down."""
    try:
        return os.getloadavg()[0] >= (os.cpu_count() or 1)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
