// Crypto: see README.md, "The tree".
