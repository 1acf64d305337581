// Linux: see README.md, "The tree".
