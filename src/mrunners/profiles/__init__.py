"""Runner URIs, load profiles and runner images, checked before anything is created.

`loading` puts the parts together, in this order:

1. `uris` and `uri_query` read the runner URIs.
2. `sources` fetches the text of each load profile, from a file or a ConfigMap.
3. `yaml_strict` and `parsing` read the text into the models of `profile` and `requests`;
   `problems` finds and words what is wrong with it, `runner_groups` takes a profile out of its
   runner group, and `overrides` replaces what the run sets over it.
4. `release_rules` compares the profile with the kperf release of the image (`images`).
5. `rendering` writes the profile for the pods, and `reading` does each distinct text only once;
   `expectations` estimates what the pods will do.

Nothing here connects to a cluster: a source gets a ConfigMapReader from its caller.
"""
