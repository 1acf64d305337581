// Control: see README.md, "The tree".
