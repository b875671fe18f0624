"""One file a revision, named m<number>_<what>."""
