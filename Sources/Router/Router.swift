// Router: see README.md, "The tree".
