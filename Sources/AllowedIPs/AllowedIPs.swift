// AllowedIPs: see README.md, "The tree".
