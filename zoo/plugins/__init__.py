"""How components get in: specs, hooks, loading, the catalog, the contract."""
