// Configuration: see README.md, "The tree".
