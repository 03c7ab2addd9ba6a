"""The dashboard: a web page on what is in a cluster, with the rights of whoever looks at it."""
