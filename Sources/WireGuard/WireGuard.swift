// WireGuard: see README.md, "The tree".
