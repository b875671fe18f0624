"""Attribution: where in the face a score came from, and whether that is causally so.

Heat maps (one file each, all :class:`assistant.interfaces.Attributor`), the named regions they fall
on (:mod:`assistant.attribution.regions`) and the check that re-scores the face with a region taken
away (:mod:`assistant.attribution.counterfactual`). Names are resolved by ``assistant.registry``;
nothing is imported here, so that no method pays for another.
"""
