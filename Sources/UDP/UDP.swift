// UDP: see README.md, "The tree".
