"""Keys: epoch secret, group key, record key, component and field keys; sealed objects; custodians."""
