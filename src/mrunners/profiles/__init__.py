"""What a user gives, checked before anything is created: URIs, profiles, images, names.

It must not open a network connection: a cluster is reached through the Protocol that a source
is given. The way of the data, put together by `loading`:

    uris (uri_query) -> sources (file_source, configmap_source) -> yaml_strict (yaml_scalars)
    -> profile_parsing (profile, requests, profile_rules, profile_problems, profile_warnings)
    -> release_rules (releases, images) -> rendering, expectations
"""
