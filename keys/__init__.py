"""A site's keys: certificates and signing keys, made and kept in one folder, and what its broker allows to whom."""
