"""A module that does whatever a module may do; each function of `probes` is one such thing."""
