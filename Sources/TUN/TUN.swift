// TUN: see README.md, "The tree".
